package scaffold

import (
	"strings"
	"testing"

	"entgo.io/ent"
	entschema "entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"

	"forge/internal/scaffold"
)

// Club has an edge to authors, who have none back, and one to rooms, which nobody sees.
type Club struct{ open }

func (Club) Annotations() []entschema.Annotation { return shown("name", "visitors", "rooms") }

func (Club) Edges() []ent.Edge {
	return []ent.Edge{edge.To("visitors", Author.Type), edge.To("rooms", Room.Type)}
}

// Room has neither an annotation nor a policy.
type Room struct{ ent.Schema }

// TestNotesOfEdges checks that what is left out of edges is said, with what mends it.
func TestNotesOfEdges(t *testing.T) {
	t.Parallel()
	s := library(t, Club{}, Room{})
	r := write(t, s)
	notes := strings.Join(r.Notes, "\n")
	for _, want := range []string{
		"Club.rooms: left out, as Room has no type; give that a Policy that lets somebody read, and name its fields in ",
		`edge.From(NAME, Club.Type).Ref("visitors"), with Unique() if each Author has one Club, and without if it may have many; then run go run . scaffold Club.visitors`,
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("the notes lack %s:\n%s", want, notes)
		}
	}
	for _, e := range s.Entities {
		if e.Name == "Club" { // the author of ent/schema gives authors many clubs
			visitors := e.Edge("visitors")
			visitors.Through, visitors.Column, visitors.Far = "club_visitors", "club_id", "author_id"
		}
	}
	s.SDL = r.SDL
	if got := strings.Join(scaffold.Unset(s), "\n"); !strings.Contains(got, "CreateClubInput has no field visitors; to set the edge by it, run go run . scaffold Club.visitors") {
		t.Errorf("a check says\n%s", got)
	}
	if sdl := write(t, s, "Club.visitors").SDL; strings.Contains(definition(r.SDL, "CreateClubInput"), "visitors") || !strings.Contains(definition(sdl, "CreateClubInput"), "\n  visitors: CreateClubVisitorsInput") {
		t.Errorf("the input for new clubs is\n%s", definition(sdl, "CreateClubInput"))
	}
}
