package scaffold

import (
	"testing"

	"entgo.io/ent"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	demoschema "forge/ent/schema"
	"forge/internal/entity"
	"forge/internal/rule"
	"forge/internal/scaffold"
	chinookschema "forge/test/chinook/ent/schema"
	edgesschema "forge/test/edges/ent/schema"
	kindsschema "forge/test/kinds/ent/schema"
	rulesschema "forge/test/rules/ent/schema"
)

// schemas are the entities of the applications, as ent/schema has them.
var schemas = map[string][]ent.Interface{
	"demo":    {demoschema.Credential{}, demoschema.File{}, demoschema.Hero{}, demoschema.IdempotencyKey{}, demoschema.Inventory{}, demoschema.Mail{}, demoschema.Order{}, demoschema.OrderItem{}, demoschema.Product{}, demoschema.Session{}, demoschema.SignIn{}, demoschema.Team{}, demoschema.User{}, demoschema.Webhook{}},
	"chinook": {chinookschema.Album{}, chinookschema.Artist{}, chinookschema.Customer{}, chinookschema.Employee{}, chinookschema.Genre{}, chinookschema.Invoice{}, chinookschema.InvoiceLine{}, chinookschema.Label{}, chinookschema.MediaType{}, chinookschema.Playlist{}, chinookschema.Track{}},
	"edges":   {edgesschema.Concert{}, edgesschema.File{}, edgesschema.Genre{}, edgesschema.Label{}, edgesschema.Listener{}, edgesschema.Playlist{}, edgesschema.PlaylistTrack{}, edgesschema.Poster{}, edgesschema.Prize{}, edgesschema.Rating{}, edgesschema.Sleeve{}, edgesschema.Ticket{}, edgesschema.Track{}, edgesschema.Venue{}},
	"kinds":   {kindsschema.Sample{}},
	"rules":   {rulesschema.Customer{}, rulesschema.Document{}, rulesschema.Invoice{}, rulesschema.Membership{}, rulesschema.Org{}, rulesschema.Person{}, rulesschema.Project{}, rulesschema.Staff{}, rulesschema.Team{}},
}

// TestDescribe compares what scaffold makes of ent/schema with what ent/template generates.
func TestDescribe(t *testing.T) {
	functions := cmpopts.IgnoreFields(entity.Entity{}, "Policy", "Writer")
	for _, app := range apps {
		t.Run(app.name, func(t *testing.T) {
			t.Parallel()
			got, err := scaffold.Describe("forge/x/ent/schema", schemas[app.name])
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(app.entities, got.Entities, functions, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("entities (- generated, + described):\n%s", diff)
			}
			for i, e := range app.entities {
				if diff := cmp.Diff(settable(e), settable(got.Entities[i])); diff != "" {
					t.Errorf("what can be set of %s:\n%s", e.Name, diff)
				}
				if a, b := len(rule.Of(e)), len(rule.Of(got.Entities[i])); a != b {
					t.Errorf("%s has %d policies, want %d", e.Name, b, a)
				}
			}
			want := write(t, scaffold.Source{Entities: app.entities, Tables: app.tables})
			if diff := cmp.Diff(want.SDL, write(t, scaffold.Source{Entities: got.Entities, Tables: got.Tables}).SDL); diff != "" {
				t.Errorf("the schema:\n%s", diff)
			}
		})
	}
}

// settable returns the names in the functions of a writer.
func settable(e *entity.Entity) map[string]bool {
	names := map[string]bool{}
	if e.Writer != nil {
		for name := range e.Writer.Set {
			names["set "+name] = true
		}
		for name := range e.Writer.Link {
			names["link "+name] = true
		}
		for name := range e.Writer.Unlink {
			names["unlink "+name] = true
		}
	}
	return names
}
