package binding

import (
	"strings"
	"testing"

	"forge/internal/entity"
)

// TestBindChanges checks what Query shows of the log of changes.
func TestBindChanges(t *testing.T) {
	t.Parallel()
	const types = `} scalar ChangeCursor enum ChangeKind { CREATED UPDATED REMOVED MANY } enum ChangeType { TRACK }
		type NodeChange { kind: ChangeKind! id: ID node: Node } type NodeChanges { cursor: ChangeCursor! changes: [NodeChange!]! }
		extend type Query { changeCursor: ChangeCursor! changes(types: [ChangeType!], after: ChangeCursor!, first: Int): NodeChanges!`
	logged := func(e *entity.Entity) { e.Logged = true }
	for _, tt := range []struct {
		name, from, to string
		change         func(*entity.Entity)
		want           string // the beginning of the only finding; "" if there must be none
	}{
		{"well", "", "", logged, ""},
		{"not logged", "", "", nil, "ChangeType.TRACK: it is no entity whose changes are logged"},
		{"no value", "{ TRACK }", "{ ALBUM }", logged, "ChangeType.ALBUM: it is no entity whose changes are logged\nChangeType: it has no value for Track"},
		{"a field more", "cursor: ChangeCursor! changes: [", "cursor: ChangeCursor! more: Boolean changes: [", logged, "NodeChanges.more: nothing answers it"},
		{"an argument more", "first: Int): NodeChanges", "first: Int, last: Int): NodeChanges", logged, "Query.changes(last:): nothing answers it"},
		{"no cursor", "after: ChangeCursor!, ", "", logged, "Query.changes: it has no argument after"},
		{"another type", "node: Node }", "node: Track }", logged, "NodeChange.node: its type is Track; allowed: Node"},
		{"a kind less", "REMOVED MANY", "REMOVED", logged, "ChangeKind: it lacks the value MANY"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(types, tt.from) {
				t.Fatalf("the types have no %q", tt.from)
			}
			found := findings(t, "count: Int!", "count: Int! "+strings.Replace(types, tt.from, tt.to, 1), tt.change, nil)
			for _, want := range strings.Split(tt.want, "\n") {
				if want == "" && len(found) > 0 || want != "" && (len(found) != strings.Count(tt.want, "\n")+1 || !strings.Contains("\n"+strings.Join(found, "\n"), "\n"+want)) {
					t.Errorf("found %q, want %q", found, tt.want)
				}
			}
		})
	}
}
