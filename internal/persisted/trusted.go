package persisted

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/apperr"
	"forge/internal/telemetry"
)

// Trusted allows only the documents of a manifest. All other documents are refused, even
// introspection.
type Trusted struct{ Manifest *Manifest }

// MutateOperationParameters sets the document that a request names. If the request also sends a
// document, it must be the same, byte for byte. A document without a name must be in the manifest.
func (t Trusted) MutateOperationParameters(ctx context.Context, params *graphql.RawParams) *gqlerror.Error {
	ref, err := referenceOf(params)
	if err != nil {
		return err
	}
	refused := t.resolve(ref, params)
	if refused != nil {
		telemetry.FromContext(ctx).Refuse(telemetry.Untrusted)
	}
	return refused
}

func (t Trusted) resolve(ref reference, params *graphql.RawParams) *gqlerror.Error {
	if ref.id == "" {
		if _, ok := t.Manifest.texts[params.Query]; !ok {
			return coded(apperr.CodeOperationNotAllowed, "this server runs the operations of its manifest only, and the query is none of them")
		}
		return nil
	}
	known, ok := t.Manifest.find(ref)
	switch {
	case !ok:
		return coded(apperr.CodeOperationNotAllowed, "this server runs the operations of its manifest only, and %s names none of them", ref.field)
	case params.Query != "" && params.Query != known:
		return coded(apperr.CodeOperationNotAllowed, "the query is not the one that %s names in the manifest of this server", ref.field)
	}
	params.Query = known
	return nil
}

// Manifest is the list of the documents that are allowed.
type Manifest struct {
	byID   map[string]string
	byHash map[string]string
	texts  map[string]struct{}
}

// Prepare parses and validates a document. Load calls it for each document of a manifest.
type Prepare func(text string) (*ast.QueryDocument, gqlerror.List)

// Load reads a manifest in the format of Relay, Apollo or GraphQL Code Generator. It checks each
// document with prepare. Its error names the entry that is wrong, and says what is wrong with it.
func Load(path string, prepare Prepare) (*Manifest, error) {
	content, err := os.ReadFile(path)
	if failed, ok := errors.AsType[*os.PathError](err); ok {
		return nil, failed.Err // without the path, which the caller knows
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
		if err := e.check(prepare); err != nil {
			return nil, fmt.Errorf("entry %q: %w", e.id, err)
		}
		m.byID[e.id], m.byHash[hashOf(e.text)], m.texts[e.text] = e.text, e.text, struct{}{}
	}
	return m, nil
}

// Len returns how many documents there are.
func (m *Manifest) Len() int { return len(m.byID) }

// find returns the document that has the ID of the reference. If no ID matches, it returns the
// document with the SHA-256 in the reference.
func (m *Manifest) find(ref reference) (text string, ok bool) {
	if text, ok = m.byID[ref.id]; !ok {
		text, ok = m.byHash[ref.hash()]
	}
	return text, ok
}

// entry is a document of a manifest. Only Apollo's format gives the name and the kind of its
// operation; the two are empty otherwise.
type entry struct{ id, text, name, kind string }

// check returns an error if the ID, the document or the operation of an entry is not valid.
func (e entry) check(prepare Prepare) error {
	if e.id == "" {
		return errors.New("the ID is empty")
	}
	if hash, hashed := strings.CutPrefix(e.id, hashPrefix); hashed && hash != hashOf(e.text) {
		return errors.New("the ID is not the SHA-256 of the document")
	}
	document, errs := prepare(e.text)
	if len(errs) > 0 {
		return withLocation(errs[0])
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

// withLocation returns an error with the message, the line and the column of an error in a
// document.
func withLocation(err *gqlerror.Error) error {
	if len(err.Locations) == 0 {
		return errors.New(err.Message)
	}
	return fmt.Errorf("line %d, column %d: %s", err.Locations[0].Line, err.Locations[0].Column, err.Message)
}
