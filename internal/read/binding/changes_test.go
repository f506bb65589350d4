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

// TestBindSubscription checks what Subscription shows of the log of changes.
func TestBindSubscription(t *testing.T) {
	t.Parallel()
	const types = `} scalar ChangeCursor enum ChangeKind { CREATED UPDATED REMOVED MANY } enum ChangeType { TRACK }
		type NodeChange { kind: ChangeKind! id: ID node: Node } type NodeChanges { cursor: ChangeCursor! changes: [NodeChange!]! }
		type TrackChange { kind: ChangeKind! id: ID track: Track } type TrackChanges { cursor: ChangeCursor! changes: [TrackChange!]! }
		type AlbumChanges { cursor: ChangeCursor! }
		type Subscription {
			trackChanges(ids: [ID!], albumIds: [ID!], kinds: [ChangeKind!], after: ChangeCursor): TrackChanges!
			changes(types: [ChangeType!], after: ChangeCursor): NodeChanges! live(every: Int! = 1000): Query!
		} extend type Query { changeCursor: ChangeCursor!`
	logged := func(e *entity.Entity) { e.Logged = true }
	for _, tt := range []struct {
		name, from, to string
		change         func(*entity.Entity)
		want           string // the beginning of a finding; "" if there must be none
	}{
		{"well", "", "", logged, ""},
		{"without live", "live(every: Int! = 1000): Query!", "", logged, ""},
		{"not logged", "", "", nil, "Subscription.trackChanges: changes of Track are not logged; add Logged"},
		{"another not logged", "trackChanges(", "albumChanges(after: ChangeCursor): AlbumChanges! trackChanges(", logged, "Subscription.albumChanges: changes of Album are not logged; add Logged"},
		{"of one's own", "live(", "ticks: Int! live(", logged, "Subscription.ticks: nothing answers it: resolvers of subscriptions are not called"},
		{"a type of IDs", "ids: [ID!]", "ids: [Int!]", logged, "Subscription.trackChanges(ids:): its type is [Int!]; allowed: [ID!]"},
		{"no such edge", "albumIds:", "bandIds:", logged, "Subscription.trackChanges(bandIds:): Track has no edge band to one row"},
		{"not in the log", "albumIds:", "labelIds:", logged, "Subscription.trackChanges(labelIds:): Track has no edge label to one row"},
		{"to many", "albumIds:", "notesIds:", logged, "Subscription.trackChanges(notesIds:): Track has no edge notes to one row"},
		{"an argument more", "kinds: [ChangeKind!]", "kinds: [ChangeKind!], first: Int", logged, "Subscription.trackChanges(first:): nothing answers it"},
		{"another page", "after: ChangeCursor): TrackChanges!", "after: ChangeCursor): NodeChanges!", logged, "Subscription.trackChanges: its type is NodeChanges!; allowed: TrackChanges!"},
		{"another row", "track: Track", "row: Track", logged, "TrackChange.row: nothing answers it"},
		{"a list", "changes: [TrackChange!]!", "changes: [TrackChange!]", logged, "TrackChanges.changes: its type is [TrackChange!]; allowed: [TrackChange!]!"},
		{"live of another type", "1000): Query!", "1000): Track!", logged, "Subscription.live: its type is Track!; allowed: Query!"},
		{"live, now and then", "every: Int! = 1000", "every: Int = 1000", logged, "Subscription.live(every:): its type is Int; allowed: Int!"},
		{"a directive", "live(every: Int! = 1000): Query!", "live(every: Int! = 1000): Query! @old } directive @old on FIELD_DEFINITION type Other { n: Int", logged, "Subscription.live: the directive @old has no effect here"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(types, tt.from) {
				t.Fatalf("the types have no %q", tt.from)
			}
			found := findings(t, "count: Int!", "count: Int! "+strings.Replace(types, tt.from, tt.to, 1), tt.change, nil)
			if tt.want == "" && len(found) > 0 || tt.want != "" && !strings.Contains("\n"+strings.Join(found, "\n"), "\n"+tt.want) {
				t.Errorf("found %q, want %q", found, tt.want)
			}
		})
	}
}
