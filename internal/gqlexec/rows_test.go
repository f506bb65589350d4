package gqlexec

import (
	"strings"
	"testing"

	"entgo.io/ent/dialect/entsql"

	"forge/internal/database"
	"forge/internal/schema"
)

// TestArgumentOfACheck finds the argument for a CHECK of ent/schema, and for one that it does not
// have, of which SQLite reports the condition, or a name.
func TestArgumentOfACheck(t *testing.T) {
	t.Parallel()
	media := &schema.Table{Name: "media", Columns: []*schema.Column{{Name: "type"}, {Name: "page_count"}}}
	media.Annotation = &entsql.Annotation{Checks: map[string]string{"media_pages": "page_count > 0"}}
	r := rows{tables: []*schema.Table{media}}
	args := arguments{list: []argument{{"input.pageCount", 0}, {"input.type", "x"}}}
	for name, want := range map[string]string{
		"media_pages": "input.pageCount", "type": "input.type", "type IN ('CD', 'LP')": "input.type", "media_type_known": "input", "": "input",
	} {
		if got := args.of(r, database.ConstraintError{Rule: database.Check, Name: name}); got != want {
			t.Errorf("%q is about %s, want %s", name, got, want)
		}
	}
	if got := r.columnsOf(database.ConstraintError{Rule: database.Check, Name: "page_count < 9 OR type = 'CD'"}); strings.Join(got, " ") != "page_count type" {
		t.Errorf("a condition has the columns %q", got)
	}
}
