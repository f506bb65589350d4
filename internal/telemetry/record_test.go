package telemetry_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"forge/internal/telemetry"
)

func mustParse(t *testing.T, text string) *ast.QueryDocument {
	t.Helper()
	doc, err := parser.ParseQuery(&ast.Source{Input: text})
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestRecordOperation checks how operations with and without names are recorded.
func TestRecordOperation(t *testing.T) {
	long := "N" + strings.Repeat("0", 99)
	text := "query A { a } mutation B { b } query " + long + " { c }"
	doc := mustParse(t, text)
	known := telemetry.NewDocument(text, doc)
	if want := telemetry.Hash(text); known.Hash != want || len(want) != 64 {
		t.Errorf("hash %s, want %s", known.Hash, want)
	}
	for i, want := range []telemetry.Operation{{"A", "query"}, {"B", "mutation"}, {long[:64], "query"}} {
		_, r := telemetry.NewContext(t.Context(), "")
		if r.Runs(known, doc.Operations[i]); r.Operation == nil || *r.Operation != want {
			t.Errorf("operation %d is %v, want %v", i, r.Operation, want)
		}
		if r.ShortHash() != known.Hash[:16] {
			t.Errorf("the hash is %s", r.ShortHash())
		}
	}
	nameless := mustParse(t, "mutation { b }")
	_, r := telemetry.NewContext(t.Context(), "")
	if r.Runs(telemetry.NewDocument("mutation { b }", nameless), nameless.Operations[0]); r.Operation == nil || *r.Operation != (telemetry.Operation{Name: "mutation", Kind: "mutation"}) {
		t.Errorf("without a name it is %v", r.Operation)
	}
	r = new(telemetry.Record)
	if r.ShortHash() != "" {
		t.Errorf("without a document the hash is %q", r.ShortHash())
	}
	if r.Runs(known, nil); r.Operation != nil || r.ShortHash() != known.Hash[:16] {
		t.Errorf("of a document without the operation: %v, %q", r.Operation, r.ShortHash())
	}
}

// TestHash compares the hash with the one that sha256sum prints.
func TestHash(t *testing.T) {
	const want = "001c3174e099bd72b729d0c0a529ba9f5a740c446e2a6e1d71b283cb84ec3065"
	if got := telemetry.Hash("{ hello }"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestRecordShapes checks the counts and the order of statements, and how long texts are cut.
func TestRecordShapes(t *testing.T) {
	ctx, r := telemetry.NewContext(t.Context(), "")
	if telemetry.FromContext(ctx) != r {
		t.Fatal("the record is not on its context")
	}
	for i := range 40 {
		r.Statement(t.Context(), "SELECT "+strconv.Itoa(i), time.Millisecond, nil)
	}
	r.Statement(t.Context(), "SELECT 7", 2*time.Millisecond, nil)
	r.Statement(t.Context(), "SELECT 9", 4*time.Millisecond, errors.New("no"))
	if n, took := r.Database(); n != 42 || took != 46*time.Millisecond {
		t.Errorf("%d statements in %s, want 42 in 46ms", n, took)
	}
	shapes := r.Shapes()
	if len(shapes) != 32 {
		t.Fatalf("%d shapes, want 32", len(shapes))
	}
	if s := shapes[0]; s.SQL != "SELECT 9" || s.Count != 2 || s.Failed != 1 || s.Millis != 5 {
		t.Errorf("the slowest is %+v, want SELECT 9 twice in 5 ms, once with an error", s)
	}
	if s := shapes[1]; s.SQL != "SELECT 7" || s.Count != 2 || s.Failed != 0 || s.Millis != 3 {
		t.Errorf("the next is %+v, want SELECT 7 twice in 3 ms", s)
	}
	long := new(telemetry.Record)
	long.Statement(t.Context(), strings.Repeat("x", 3000), time.Second, nil)
	if text := long.Shapes()[0].SQL; text != strings.Repeat("x", 2000)+"…" {
		t.Errorf("%d bytes of a long text", len(text))
	}
}

// TestRecordNil checks that code outside of a request may record, too.
func TestRecordNil(t *testing.T) {
	r := telemetry.FromContext(t.Context())
	if r != nil {
		t.Fatal("there is a record")
	}
	r.Missed("")
	r.LookUp(true)
	r.Runs(nil, nil)
	r.StartOperation(t.Context())
	r.Attempt(1)
	r.Refuse(telemetry.Body)
	r.Answer("")
	r.Statement(t.Context(), "", 0, nil)
}

// TestRecordUntraced checks that the methods for traces allocate nothing for a request without a
// trace.
func TestRecordUntraced(t *testing.T) {
	ctx, r := telemetry.NewContext(t.Context(), "")
	r.Statement(ctx, "SELECT 1", 0, nil)
	if n := testing.AllocsPerRun(100, func() {
		inside := r.StartOperation(ctx)
		inside, batch := telemetry.StartBatch(inside, "Book", "books", 3)
		telemetry.FromContext(inside).Statement(inside, "SELECT 1", 0, nil)
		batch.End(3, nil)
		r.Answer("")
		r.End("/graphql", "id", "POST", 200)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
