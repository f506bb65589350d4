package telemetry

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Document is what is told of a valid document. It is made once and kept with the parsed text.
type Document struct {
	Hash       string // see Hash
	source     *ast.QueryDocument
	operations []Operation // in the order of source
}

// Operation is what is told of an operation of a document.
type Operation struct {
	Name string // the name that the client gave it, at most 64 bytes of it, or else its kind
	Kind string // query or mutation
}

// maxName is how much of a name is told, in bytes. GraphQL's grammar allows letters, digits and _ alone.
const maxName = 64

// NewDocument describes a valid document and its text.
func NewDocument(text string, source *ast.QueryDocument) *Document {
	d := &Document{Hash: Hash(text), source: source}
	for _, operation := range source.Operations {
		kind := string(operation.Operation)
		name := cmp.Or(operation.Name, kind)
		d.operations = append(d.operations, Operation{Name: strings.Clone(name[:min(len(name), maxName)]), Kind: kind}) // metrics keep it, and would keep the text
	}
	return d
}

func (d *Document) find(operation *ast.OperationDefinition) *Operation {
	if i := slices.Index(d.source.Operations, operation); i >= 0 {
		return &d.operations[i]
	}
	return nil
}

// Hash returns the SHA-256 of a document's text in 64 hexadecimal digits, as persisted operations are named.
func Hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
