package persisted

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// apolloFormat is the format of Apollo's generate-persisted-query-manifest.
const apolloFormat = "apollo-persisted-query-manifest"

// entriesOf returns the entries of a manifest in their order. A manifest with a list of operations
// is in Apollo's format. In the format of Relay and GraphQL Code Generator, the manifest is one
// object with IDs as names and documents as values.
func entriesOf(content []byte) ([]entry, error) {
	members, err := membersOf(content)
	if err != nil {
		return nil, err
	}
	var entries []entry
	if operations := operationsOf(members); operations != nil {
		entries, err = apolloEntries(content)
	} else {
		entries, err = plainEntries(members)
	}
	if err == nil && len(entries) == 0 {
		err = errors.New("there are no documents in it")
	}
	return entries, err
}

// member is a member of a JSON object.
type member struct {
	name  string
	value json.RawMessage
}

// membersOf returns all members of the JSON object in content. If members have the same name, it
// returns all of them, where encoding/json would keep only the last.
func membersOf(content []byte) ([]member, error) {
	decoder := json.NewDecoder(bytes.NewReader(content))
	start, err := decoder.Token()
	if err != nil {
		return nil, notJSON(err, decoder)
	}
	if start != json.Delim('{') {
		return nil, errors.New("a manifest is a JSON object")
	}
	var members []member
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, notJSON(err, decoder)
		}
		m := member{name: name.(string)}
		if err := decoder.Decode(&m.value); err != nil {
			return nil, notJSON(err, decoder)
		}
		members = append(members, m)
	}
	if _, err := decoder.Token(); err != nil {
		return nil, notJSON(err, decoder)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, fmt.Errorf("something follows the JSON object at byte %d", decoder.InputOffset())
	}
	return members, nil
}

// notJSON adds the position in the text to an error of the decoder.
func notJSON(err error, decoder *json.Decoder) error {
	return fmt.Errorf("it is not valid JSON, at byte %d: %w", decoder.InputOffset(), err)
}

// operationsOf returns the list of operations of a manifest in Apollo's format, or nil if there is
// no list.
func operationsOf(members []member) json.RawMessage {
	for _, m := range members {
		if m.name == "operations" && m.value[0] == '[' {
			return m.value
		}
	}
	return nil
}

// plainEntries returns the entries of a manifest in the format of Relay and GraphQL Code Generator.
func plainEntries(members []member) ([]entry, error) {
	var entries []entry
	for _, m := range members {
		e := entry{id: m.name}
		if err := json.Unmarshal(m.value, &e.text); err != nil || m.value[0] != '"' {
			return nil, fmt.Errorf("entry %q must be the text of a document", m.name)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// apolloEntries returns the entries of a manifest in Apollo's format.
func apolloEntries(content []byte) ([]entry, error) {
	var manifest struct {
		Format     string
		Version    json.Number
		Operations []struct{ ID, Name, Type, Body string } `json:"operations"`
	}
	if err := json.Unmarshal(content, &manifest); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return nil, fmt.Errorf("%s must not be a JSON %s, at byte %d", wrong.Field, wrong.Value, wrong.Offset)
		}
		return nil, err
	}
	if manifest.Format != apolloFormat || manifest.Version != "1" {
		return nil, fmt.Errorf("its format is %q in version %q; known is %q in version 1", manifest.Format, manifest.Version, apolloFormat)
	}
	var entries []entry
	for _, o := range manifest.Operations {
		entries = append(entries, entry{o.ID, o.Body, o.Name, o.Type})
	}
	return entries, nil
}
