package rules

import (
	"encoding/json"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"forge/internal/unit"
	"forge/internal/viewer"
	"forge/test/rules/ent"
)

// TestRow reads fields of one row, as an error about another version shows them. It has what a
// query of the viewer has, and nothing of a row that the viewer does not see.
func TestRow(t *testing.T) {
	each(t, func(w *world) {
		d := newTeam(w)
		query := `{ documents { totalCount } }`
		w.ask(viewer.System, query)
		document := ent.Entities[0]
		for _, e := range ent.Entities {
			if e.Name == "Document" {
				document = e
			}
		}
		for _, tt := range []struct {
			name string
			as   viewer.Viewer
			of   *ent.Document
			want string
		}{
			{"an editor", user(d.ada), d.plan, `{"authorId":"` + d.ada.GlobalID().String() + `","budget":null,"notes":"draft","title":"plan"}`},
			{"a reader, whose duty is money", user(d.bob), d.plan, `{"authorId":"` + d.ada.GlobalID().String() + `","budget":5,"notes":null,"title":"plan"}`},
			{"an administrator", viewer.System, d.plan, `{"authorId":"` + d.ada.GlobalID().String() + `","budget":5,"notes":"draft","title":"plan"}`},
			{"of another team", user(d.bob), d.memo, `null`},
			{"nobody", viewer.Viewer{}, d.plan, `null`},
		} {
			doc := w.documents[query]
			op := &graphql.OperationContext{Doc: doc, Operation: doc.Operations[0], RecoverFunc: graphql.DefaultRecover}
			u := unit.New(w.db, unit.Write)
			ctx := graphql.WithOperationContext(viewer.NewContext(unit.NewContext(w.Context(), u), tt.as), op)
			got, err := json.Marshal(w.engine.Row(ctx, document, tt.of.GlobalID(), []string{"title", "budget", "notes", "authorId", "secret", "nothing"}))
			u.Rollback()
			if string(got) != tt.want || err != nil {
				w.Errorf("%s: %s, %v; want %s", tt.name, got, err, tt.want)
			}
		}
	})
}
