package persisted

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"forge/internal/syntax"
)

// Manifest is a list of documents with their IDs.
type Manifest struct {
	byID   map[string]string
	byHash map[string]string
	texts  map[string]struct{}
}

// Load reads a manifest as Relay, Apollo or GraphQL Code Generator writes it, and checks that each of its documents keeps the rules for the schema and
// has so many tokens at most; 0 stands for no limit. The error names the entry at fault and what is wrong with it.
func Load(path string, schema *ast.Schema, checks *rules.Rules, tokens int) (*Manifest, error) {
	content, err := os.ReadFile(path)
	if failed, ok := errors.AsType[*os.PathError](err); ok {
		return nil, failed.Err // the path is no news
	}
	entries, err := entriesOf(content)
	if err != nil {
		return nil, err
	}
	m := &Manifest{byID: map[string]string{}, byHash: map[string]string{}, texts: map[string]struct{}{}}
	for _, e := range entries {
		if _, twice := m.byID[e.id]; twice {
			return nil, fmt.Errorf("entry %q is there twice", e.id)
		}
		if err := e.check(schema, checks, tokens); err != nil {
			return nil, fmt.Errorf("entry %q: %w", e.id, err)
		}
		m.byID[e.id], m.byHash[hashOf(e.text)], m.texts[e.text] = e.text, e.text, struct{}{}
	}
	return m, nil
}

// Len returns how many documents there are.
func (m *Manifest) Len() int { return len(m.byID) }

// named returns the document with that ID or, whatever its ID is, with that SHA-256.
func (m *Manifest) named(ref reference) (text string, ok bool) {
	if text, ok = m.byID[ref.id]; !ok {
		text, ok = m.byHash[ref.hash()]
	}
	return text, ok
}

func (m *Manifest) has(text string) bool {
	_, ok := m.texts[text]
	return ok
}

// entry is one document of a manifest. Only Apollo's say what operation is in it.
type entry struct{ id, text, name, kind string }

// check returns what is wrong with an entry.
func (e entry) check(schema *ast.Schema, checks *rules.Rules, tokens int) error {
	if e.id == "" {
		return errors.New("the ID is empty")
	}
	if hash, hashed := strings.CutPrefix(e.id, prefix); hashed && hash != hashOf(e.text) {
		return errors.New("the ID is not the SHA-256 of the document")
	}
	document, err := syntax.Parse(e.text, tokens)
	if err != nil {
		return placed(err)
	}
	if len(document.Operations) == 0 {
		return errors.New("there is no operation in the document")
	}
	if errs := validator.ValidateWithRules(schema, document, checks); len(errs) > 0 {
		return placed(errs[0])
	}
	if e.name == "" {
		return nil
	}
	operation := document.Operations.ForName(e.name)
	switch {
	case operation == nil:
		return fmt.Errorf("there is no operation %q in its body", e.name)
	case e.kind != "" && e.kind != string(operation.Operation):
		return fmt.Errorf("its type is %q, and %q is a %s", e.kind, e.name, operation.Operation)
	}
	return nil
}

// placed returns the message of a document's error with the line and column that it is about.
func placed(err error) error {
	wrong, ok := errors.AsType[*gqlerror.Error](err)
	switch {
	case !ok:
		return err
	case len(wrong.Locations) == 0:
		return errors.New(wrong.Message)
	}
	return fmt.Errorf("line %d, column %d: %s", wrong.Locations[0].Line, wrong.Locations[0].Column, wrong.Message)
}
