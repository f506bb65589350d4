package read

import (
	"context"
	"errors"
	"strings"
	"testing"

	"entgo.io/ent"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/apperr"
	"forge/internal/changes"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/read/binding"
	"forge/internal/rule"
	"forge/internal/viewer"
)

// told is a schema whose changes are told. Albums have numbers as keys, and studios texts.
const told = `
scalar ChangeCursor
enum ChangeKind { CREATED UPDATED REMOVED MANY }
enum ChangeType { TRACK ALBUM }
interface Node { id: ID! }
type Query { changeCursor: ChangeCursor! }
type Track implements Node { id: ID! }
type Album implements Node { id: ID! }
type Studio implements Node { id: ID! }
type NodeChange { kind: ChangeKind! id: ID node: Node }
type NodeChanges { cursor: ChangeCursor! changes: [NodeChange!]! }
type TrackChange { kind: ChangeKind! id: ID track: Track }
type TrackChanges { cursor: ChangeCursor! changes: [TrackChange!]! }
type AlbumChange { kind: ChangeKind! id: ID album: Album }
type AlbumChanges { cursor: ChangeCursor! changes: [AlbumChange!]! }
type Subscription {
  changes(types: [ChangeType!], after: ChangeCursor): NodeChanges!
  trackChanges(ids: [ID!], albumIds: [ID!], ownerIds: [ID!], kinds: [ChangeKind!], after: ChangeCursor): TrackChanges!
  albumChanges(ids: [ID!], studioIds: [ID!], kinds: [ChangeKind!], after: ChangeCursor): AlbumChanges!
}`

// newTold returns an engine for told. The policies say who reads tracks and albums.
func newTold(t testing.TB, tracks, albums rule.Policy) *Engine {
	t.Helper()
	of := func(name string, form ids.Form, policy rule.Policy, edges []entity.Edge, more ...entity.Field) *entity.Entity {
		lower := strings.ToLower(name)
		e := &entity.Entity{Name: name, Prefix: lower, Table: lower + "s", Keys: form, Ruled: true, Policy: func() ent.Policy { return policy }, Edges: edges, Visible: map[string]entity.Visibility{"id": entity.ToAll}}
		goType := map[ids.Form]string{ids.UUID: "uuid.UUID", ids.Number: "int64", ids.Text: "string"}[form]
		e.Fields = append([]entity.Field{{Name: "id", Column: "id", Kind: entity.ID, Type: goType, Refers: name}}, more...)
		for _, edge := range edges {
			e.Visible[edge.Name] = entity.ToAll
		}
		return e
	}
	one := func(name, to string) entity.Edge {
		return entity.Edge{Name: name, To: to, Column: name + "_id", OwnKey: true, Unique: true, Nullable: true}
	}
	key := func(name, to string) entity.Field {
		return entity.Field{Name: name + "Id", Column: name + "_id", Kind: entity.ID, Refers: to}
	}
	track := of("Track", ids.UUID, tracks, []entity.Edge{one("album", "Album"), one("owner", "User")}, key("album", "Album"), key("owner", "User"))
	album := of("Album", ids.Number, albums, []entity.Edge{one("studio", "Studio")}, key("studio", "Studio"))
	track.Logged, album.Logged, track.Visible["owner"] = true, true, entity.ToOwners
	user := of("User", ids.UUID, rule.Policy{}, nil)
	e, err := New(binding.Contract{Schema: gqlparser.MustLoadSchema(&ast.Source{Input: told}), Entities: []*entity.Entity{track, album, of("Studio", ids.Text, rule.Policy{Read: rule.Everyone}, nil), user}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// selects returns the function that Selects returns for a subscription.
func selects(t testing.TB, e *Engine, v viewer.Viewer, subscription string) (func(*changes.Change) bool, error) {
	t.Helper()
	doc, errs := gqlparser.LoadQueryWithRules(e.binding.Schema, "subscription { "+subscription+" { cursor } }", nil)
	if errs != nil {
		t.Fatalf("%s: %v", subscription, errs)
	}
	f := doc.Operations[0].SelectionSet[0].(*ast.Field)
	return e.Selects(viewer.NewContext(context.Background(), v), f, nil)
}

// TestSelects has changes, and subscriptions that select them or do not. None takes an allocation.
func TestSelects(t *testing.T) { // not in parallel, as it counts allocations
	everyone, own := rule.Policy{Read: rule.Everyone}, rule.Owner{Column: "owner_id"}
	owners := rule.Policy{Read: rule.Owners, Owner: own}
	members := rule.Policy{Read: rule.Any(rule.Owners, rule.Members{User: "owner_id"}), Owner: own}
	row, user, other := uuid.New(), uuid.New(), uuid.New()
	id, hex := ids.ID{Prefix: "track", UUID: row}.String(), strings.ReplaceAll(row.String(), "-", "")
	another := ids.ID{Prefix: "track", UUID: other}.String()
	track := func(op changes.Op, refs ...string) changes.Change {
		return changes.Change{Type: "track", Op: op, Key: row.String(), Refs: append([]string{}, refs...)}
	}
	album := changes.Change{Type: "album", Op: changes.Updated, Key: "42", Refs: []string{"studio_id=a=b"}}
	sqlite := changes.Change{Type: "track", Op: changes.Updated, Key: hex, Refs: []string{"album_id=1", "owner_id=" + strings.ReplaceAll(user.String(), "-", "")}}
	moved := track(changes.Updated, "album_id=1", "album_id=2")
	anyone, me, admin := viewer.Viewer{}, viewer.Viewer{ID: user, Role: viewer.User}, viewer.System
	for _, tt := range []struct {
		tracks       rule.Policy
		viewer       viewer.Viewer
		subscription string
		change       changes.Change
		want         bool
	}{
		{everyone, anyone, "changes", album, true},
		{everyone, anyone, "changes", changes.Change{Type: "user", Op: changes.Updated, Key: row.String()}, false},
		{everyone, anyone, "changes(types: [ALBUM])", album, true},
		{everyone, anyone, "changes(types: TRACK)", album, false},
		{everyone, anyone, "changes(types: [])", album, false},
		{everyone, anyone, "trackChanges", album, false},
		{everyone, anyone, "trackChanges", track(changes.Removed), true},
		{everyone, anyone, "trackChanges(kinds: [CREATED])", track(changes.Removed), false},
		{everyone, anyone, "trackChanges(kinds: [CREATED, REMOVED])", track(changes.Removed), true},
		{everyone, anyone, "trackChanges(kinds: [])", track(changes.Removed), false},
		{everyone, anyone, "trackChanges(kinds: CREATED)", track(changes.Many), true},

		{everyone, anyone, `trackChanges(ids: ["` + id + `"])`, track(changes.Updated), true},
		{everyone, anyone, `trackChanges(ids: ["` + id + `"])`, sqlite, true},
		{everyone, anyone, `trackChanges(ids: ["` + another + `"])`, track(changes.Updated), false},
		{everyone, anyone, `trackChanges(ids: [])`, track(changes.Updated), false},
		{everyone, anyone, `trackChanges(ids: null)`, track(changes.Updated), true},
		{everyone, anyone, `trackChanges(ids: ["` + another + `"])`, changes.Change{Type: "track", Op: changes.Many}, true},
		{everyone, anyone, `albumChanges(ids: "album_42")`, album, true},
		{everyone, anyone, `albumChanges(ids: "album_4")`, album, false},

		{everyone, anyone, `trackChanges(albumIds: ["album_1"])`, moved, true},
		{everyone, anyone, `trackChanges(albumIds: ["album_2"])`, moved, true},
		{everyone, anyone, `trackChanges(albumIds: ["album_3"])`, moved, false},
		{everyone, anyone, `trackChanges(albumIds: ["album_1"])`, track(changes.Updated, "other_id=1"), false},
		{everyone, anyone, `trackChanges(albumIds: ["album_1"])`, track(changes.Updated), false},
		{everyone, anyone, `trackChanges(albumIds: ["album_1"])`, changes.Change{Type: "track", Op: changes.Updated, Key: hex}, true}, // of another row
		{everyone, anyone, `albumChanges(studioIds: ["` + ids.OfText("studio", "a=b").String() + `"])`, album, true},
		{everyone, anyone, `albumChanges(studioIds: ["studio_a"])`, album, false},
		{everyone, admin, `trackChanges(albumIds: ["album_1"], ownerIds: ["` + ids.ID{Prefix: "user", UUID: user}.String() + `"])`, sqlite, true},
		{everyone, admin, `trackChanges(albumIds: ["album_2"], ownerIds: ["` + ids.ID{Prefix: "user", UUID: user}.String() + `"])`, sqlite, false},

		{owners, anyone, "trackChanges", sqlite, false},
		{owners, admin, "trackChanges", track(changes.Updated), true},
		{owners, me, "trackChanges", track(changes.Updated), false},
		{owners, me, "trackChanges", track(changes.Updated, "owner_id="+other.String()), false},
		{owners, me, "trackChanges", track(changes.Updated, "owner_id="+other.String(), "owner_id="+user.String()), true},
		{owners, me, "trackChanges", track(changes.Updated, "album_id="+user.String()), false},
		{owners, me, "changes", sqlite, true},
		{owners, me, "trackChanges(kinds: [REMOVED])", sqlite, true}, // which may be theirs no more
		{owners, me, "trackChanges(kinds: [CREATED])", sqlite, false},
		{owners, me, "trackChanges", changes.Change{Type: "track", Op: changes.Updated, Key: hex}, true},
		{owners, anyone, "trackChanges", changes.Change{Type: "track", Op: changes.Updated, Key: hex}, false},
		{members, me, "trackChanges", track(changes.Updated), true},
		{members, anyone, "trackChanges", track(changes.Updated), true},
	} {
		is, err := selects(t, newTold(t, tt.tracks, everyone), tt.viewer, tt.subscription)
		if err != nil {
			t.Fatalf("%s: %v", tt.subscription, err)
		}
		if got := is(&tt.change); got != tt.want {
			t.Errorf("%+v: %s selects %+v: %t, want %t", tt.tracks.Read, tt.subscription, tt.change, got, tt.want)
		}
		if n := testing.AllocsPerRun(10, func() { is(&tt.change) }); n > 0 {
			t.Errorf("%s with %+v takes %v allocations", tt.subscription, tt.change, n)
		}
	}
}

// TestSelectsRefuses has IDs of something else, and an edge that not everybody may see.
func TestSelectsRefuses(t *testing.T) {
	t.Parallel()
	e := newTold(t, rule.Policy{Read: rule.Everyone}, rule.Policy{Read: rule.Everyone})
	for subscription, want := range map[string]string{
		`trackChanges(ids: ["album_1"])`:          "BAD_USER_INPUT ids.0: album_1 is the ID of something else: one of the form track_… is wanted",
		`trackChanges(ids: ["x"])`:                "BAD_USER_INPUT ids.0: ",
		`trackChanges(ids: ["track_1"])`:          "BAD_USER_INPUT ids.0: ",
		`trackChanges(albumIds: ["album_1", ""])`: "BAD_USER_INPUT albumIds.1: ",
		`trackChanges(albumIds: ["album_01"])`:    "BAD_USER_INPUT albumIds.0: ",
		`albumChanges(studioIds: ["album_1"])`:    "BAD_USER_INPUT studioIds.0: album_1 is the ID of something else",
		`trackChanges(ownerIds: ["user_1"])`:      "FORBIDDEN ownerIds: only an administrator may ask by this",
	} {
		_, err := selects(t, e, viewer.Viewer{ID: uuid.New(), Role: viewer.User}, subscription)
		got, ok := errors.AsType[*apperr.Error](err)
		if !ok || !strings.HasPrefix(string(got.Code)+" "+got.Field+": "+got.Message, want) {
			t.Errorf("%s: %#v, want %s", subscription, err, want)
		}
	}
	for _, cursor := range []string{"", "x", e.Cursor(changes.Position{Tick: 1, Mark: 2, Seq: 3}) + "A"} {
		if _, err := e.Position(cursor); err == nil {
			t.Errorf("%q is a cursor", cursor)
		}
	}
	at := changes.Position{Tick: 1, Mark: -2, Seq: 3}
	if got, err := e.Position(e.Cursor(at)); got != at || err != nil {
		t.Errorf("got %v, %v, want %v", got, err, at)
	}
}
