package load

import (
	"context"
	"fmt"
	"strings"
	"testing"

	entsql "entgo.io/ent/dialect/sql"

	"forge/internal/database"
	"forge/internal/entity"
	"forge/internal/read/binding"
	"forge/internal/read/plan"
	"forge/internal/read/sql"
	"forge/internal/unit"
)

// ruled is a Writer that writes queries as ent does, with the condition of a policy.
type ruled struct {
	policy func(context.Context, *entsql.Selector)
	writes int
}

func (r *ruled) Write(ctx context.Context, e *entity.Entity, shape func(*entsql.Selector)) (string, []any, error) {
	r.writes++
	s := entsql.Dialect("sqlite3").Select().From(entsql.Table(e.Table))
	r.policy(ctx, s)
	shape(s)
	text, args := s.Query()
	return text, args, nil
}

// newFetch returns a fetch of all tracks. writer counts how often ent wrote the statement.
func newFetch(policy func(context.Context, *entsql.Selector)) (f *fetch, writer *ruled) {
	track := &binding.Object{Key: binding.Column{Name: "id", Kind: entity.ID}, Entity: &entity.Entity{Name: "Track", Table: "tracks",
		Fields: []entity.Field{{Name: "id", Column: "id", Kind: entity.ID}}}}
	root := &plan.Node{Object: track, Rows: true}
	writer = &ruled{policy: policy}
	l := &Loading{Loader: New(&plan.Plan{Root: root, Nodes: []*plan.Node{root}}),
		Request: Request{Unit: unit.New(&database.DB{Dialect: "sqlite3"}, unit.Single), Dialect: "sqlite3", Writer: writer}}
	if err := l.Prepare(context.Background()); err != nil {
		panic(err)
	}
	f = l.fetchOf(root)
	f.query.Columns = []binding.Column{track.Key}
	return f, writer
}

type labelKey struct{}

// TestCacheOfAPolicyThatAsksItsContext checks a policy that depends on a value of its context: a
// kept statement is used again where the context has the same value.
func TestCacheOfAPolicyThatAsksItsContext(t *testing.T) {
	t.Parallel()
	f, _ := newFetch(func(ctx context.Context, s *entsql.Selector) { s.Where(entsql.EQ("label", ctx.Value(labelKey{}))) })
	for i := range 100 {
		label := i % 2
		s, err := f.statement(context.WithValue(t.Context(), labelKey{}, label))
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Args) != 1 || s.Args[0] != label {
			t.Fatalf("for label %d: %q with %v", label, s.Text, s.Args)
		}
	}
	f, writer := newFetch(func(ctx context.Context, s *entsql.Selector) { s.Where(entsql.EQ("label", ctx.Value(labelKey{}))) })
	for range 1000 {
		if _, err := f.statement(context.WithValue(t.Context(), labelKey{}, 1)); err != nil {
			t.Fatal(err)
		}
	}
	if writer.writes > 11 { // once, and once for each check at the uses 1, 2, 4 … 512
		t.Errorf("a statement is written %d times for 1,000 uses", writer.writes)
	}
}

// TestCacheOfAPolicyThatBreaksTheRule checks a policy that depends on something else: this is
// noticed, and no statement is kept afterwards.
func TestCacheOfAPolicyThatBreaksTheRule(t *testing.T) {
	t.Parallel()
	label := "a"
	f, _ := newFetch(func(_ context.Context, s *entsql.Selector) { s.Where(entsql.EQ("label", label)) })
	for range 2 {
		if _, err := f.statement(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	label = "b"
	_, err := f.statement(t.Context())
	if err == nil || !strings.Contains(err.Error(), "a policy or an interceptor of Track, or of what is read below it, depends on something") {
		t.Fatalf("the use of a statement that its policy would not write any more: %v", err)
	}
	for _, label = range []string{"c", "d"} {
		s, err := f.statement(t.Context())
		if err != nil || len(s.Args) != 1 || s.Args[0] != label {
			t.Errorf("afterwards: %v, %v; want the label %s", s, err, label)
		}
	}
}

// TestCacheIsBounded adds more statements, and longer ones, than are kept.
func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	c := new(cache)
	add := func(key string, size int) bool {
		s := &statement{Statement: &sql.Statement{Text: strings.Repeat("x", size)}}
		c.add([]byte(key), s)
		return c.byKey[key] == s
	}
	for i := range statementsPerNode {
		if !add(fmt.Sprintf("%02d", i), 98) {
			t.Errorf("statement %d is not kept", i)
		}
	}
	if add("more", 98) || len(c.byKey) != statementsPerNode || c.bytes != 100*statementsPerNode {
		t.Errorf("%d statements with %d bytes are kept", len(c.byKey), c.bytes)
	}
	if !add("00", 198) || c.bytes != 100*(statementsPerNode+1) {
		t.Errorf("once a text is replaced, there are %d bytes", c.bytes)
	}
	if add("01", bytesPerNode) || c.bytes > bytesPerNode {
		t.Errorf("a text of %d bytes is kept", bytesPerNode)
	}
}
