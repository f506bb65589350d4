package scaffold

import (
	"strings"
	"testing"
	"time"

	"entgo.io/ent"
	entschema "entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"

	"forge/internal/entity"
	"forge/internal/rule"
)

// Memo is a row that devices keep copies of. Its table has no index.
type Memo struct{ ent.Schema }

func (Memo) Annotations() []entschema.Annotation {
	return []entschema.Annotation{entity.Annotation{Prefix: "memo", ClientIDs: true, ShownToAll: []string{"id", "text", "createdAt", "updatedAt"}}}
}

func (Memo) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Default(entity.NewID).Immutable(), field.String("text"),
		field.Time("created_at").Default(time.Now), field.Time("updated_at").Default(time.Now).UpdateDefault(time.Now),
	}
}

func (Memo) Policy() ent.Policy {
	return rule.Policy{Read: rule.Everyone, Create: rule.Everyone, Update: rule.Everyone}
}

// TestCopies expects all that copies of rows are kept by: conditions on updatedAt and an order by
// it, also without an index, and IDs that clients make.
func TestCopies(t *testing.T) {
	sdl := write(t, library(t, Memo{})).SDL
	for _, part := range []string{
		"  updatedAtGT: Time\n", "  updatedAtGTE: Time\n", "enum MemoOrderField {\n  UPDATED_AT\n", "input CreateMemoInput {\n  \"An ID that the client has made: `memo_` and",
		"\n  id: ID\n  text: String!\n}", "enum MemoUnique {\n  ID\n}", "createMemo(input: CreateMemoInput!, onConflict: MemoConflictInput): CreateMemoPayload!",
	} {
		if !strings.Contains(sdl, part) {
			t.Errorf("the schema lacks %q", part)
		}
	}
	if strings.Contains(sdl, "input UpdateMemoInput {\n  id") || strings.Contains(sdl, "MemoWhereInput {\n  createdAt") {
		t.Error("the schema has too much")
	}
}
