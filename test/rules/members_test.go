package rules

import (
	"fmt"
	"strings"
	"testing"

	"forge/internal/viewer"
	"forge/test/rules/ent"
	"forge/test/rules/ent/membership"
)

// scene is the world of most tests: Ada edits and Bob reads the team that has the project Apollo.
// Cleo has left it. Dora watches the project. Eve wrote a document that belongs to no project.
type scene struct {
	*world
	ada, bob, cleo, dora, eve *ent.Person
	apollo, other             *ent.Project
	plan, memo, diary         *ent.Document // of Apollo by Ada, of the other project by nobody, and Eve's
}

func newTeam(w *world) *scene {
	ctx, c := w.system, w.ent
	person := func(name string) *ent.Person { return c.Person.Create().SetName(name).SaveX(ctx) }
	t := &scene{world: w, ada: person("Ada"), bob: person("Bob"), cleo: person("Cleo"), dora: person("Dora"), eve: person("Eve")}
	red := c.Team.Create().SetName("red").SaveX(ctx)
	blue := c.Team.Create().SetName("blue").SaveX(ctx)
	join := func(to *ent.Team, p *ent.Person, role membership.Role, hidden bool) {
		c.Membership.Create().SetTeamID(to.ID).SetPersonID(p.ID).SetRole(role).SetHidden(hidden).SaveX(ctx)
	}
	join(red, t.ada, membership.RoleEDITOR, false)
	join(red, t.bob, membership.RoleREADER, false)
	join(red, t.cleo, membership.RoleEDITOR, true)
	join(blue, t.bob, membership.RoleEDITOR, false)
	t.apollo = c.Project.Create().SetName("Apollo").SetTeamID(red.ID).AddWatchers(t.dora).SaveX(ctx)
	t.other = c.Project.Create().SetName("other").SaveX(ctx)
	t.plan = c.Document.Create().SetTitle("plan").SetBudget(5).SetNotes("draft").SetProjectID(t.apollo.ID).SetAuthorID(t.ada.ID).SaveX(ctx)
	t.memo = c.Document.Create().SetTitle("memo").SetBudget(7).SetProjectID(t.other.ID).SaveX(ctx)
	t.diary = c.Document.Create().SetTitle("diary").SetAuthorID(t.eve.ID).SaveX(ctx)
	c.Staff.Create().SetDuty("money").SetPersonID(t.bob.ID).SaveX(ctx)
	c.Staff.Create().SetDuty("tea").SetPersonID(t.eve.ID).SaveX(ctx)
	return t
}

// TestMembersRead reads documents as members of the team that has their project, as owners, and as
// others: pages, counts, look-ups and conditions agree.
func TestMembersRead(t *testing.T) {
	each(t, func(w *world) {
		d := newTeam(w)
		for _, tt := range []struct {
			name string
			as   viewer.Viewer
			want string
		}{
			{"nobody", viewer.Viewer{}, ""},
			{"a stranger", stranger, ""},
			{"an editor", user(d.ada), "plan"},
			{"a reader", user(d.bob), "plan"},
			{"one who left", user(d.cleo), ""},
			{"a watcher of the project", user(d.dora), ""},
			{"an owner", user(d.eve), "diary"},
			{"an auditor", user(d.dora, "AUDITOR"), "diary memo plan"},
			{"another role", user(d.dora, "AUDITORS", "AUDIT"), ""},
			{"an administrator", viewer.System, "diary memo plan"},
			{"a reader, again", user(d.bob), "plan"},
		} {
			var got struct {
				Documents struct {
					TotalCount int
					Nodes      []struct{ Title string }
					Aggregate  struct{ Count int }
					Groups     []struct{ Key struct{ Title string } }
				}
				Plan     *struct{ Title string }
				Projects struct{ TotalCount int }
				Persons  struct {
					Nodes []struct{ Documents struct{ TotalCount int } }
				}
			}
			a := w.ask(tt.as, `{ documents(orderBy: [{field: TITLE}]) { nodes { title } } }`)
			if want := 1; a.statements != want {
				w.Errorf("%s: %d statements, want %d", tt.name, a.statements, want)
			}
			w.into(tt.as, fmt.Sprintf(`{ documents(orderBy: [{field: TITLE}]) { totalCount nodes { title } aggregate { count } groups(by: [{field: TITLE}]) { key { title } } }
				plan: document(id: %q) { title } projects(where: {hasDocuments: true}) { totalCount } persons { nodes { documents { totalCount } } } }`, d.plan.GlobalID()), &got)
			var titles, groups []string
			for i, n := range got.Documents.Nodes {
				titles = append(titles, n.Title)
				groups = append(groups, got.Documents.Groups[i].Key.Title)
			}
			if strings.Join(titles, " ") != tt.want || strings.Join(groups, " ") != tt.want || got.Documents.TotalCount != len(titles) || got.Documents.Aggregate.Count != len(titles) ||
				(got.Plan != nil) != strings.Contains(tt.want, "plan") {
				w.Errorf("%s: %+v, want %q", tt.name, got, tt.want)
			}
			if below := got.Persons.Nodes[0].Documents.TotalCount; (below == 1) != strings.Contains(tt.want, "plan") {
				w.Errorf("%s sees %d documents of Ada", tt.name, below)
			}
		}
		for v, want := range map[viewer.Viewer]string{user(d.dora): "1", user(d.bob): "1", user(d.cleo): "0", user(d.eve): "0", {}: "0"} {
			if a := w.ask(v, `{ projects { totalCount } }`); a.data != `{"projects":{"totalCount":`+want+`}}` {
				w.Errorf("projects of %s: %s, want %s", v.ID, a, want)
			}
		}
	})
}

// TestFieldsShownToSome reads fields that some may see, by their role, by a row that names them, or
// as members.
func TestFieldsShownToSome(t *testing.T) {
	each(t, func(w *world) {
		d := newTeam(w)
		const hidden = "FORBIDDEN documents.nodes[0]."
		for _, tt := range []struct {
			name   string
			as     viewer.Viewer
			want   string
			errors []string
		}{
			{"an editor", user(d.ada), `{"budget":null,"notes":"draft"}`, []string{hidden + "budget"}},
			{"a reader, whose duty is money", user(d.bob), `{"budget":5,"notes":null}`, []string{hidden + "notes"}},
			{"an auditor of finance", user(d.eve, "AUDITOR", "FINANCE"), `{"budget":5,"notes":null}`, []string{hidden + "notes"}},
			{"an auditor", user(d.eve, "AUDITOR"), `{"budget":null,"notes":null}`, []string{hidden + "budget", hidden + "notes"}},
			{"an administrator", viewer.System, `{"budget":5,"notes":"draft"}`, nil},
		} {
			a := w.ask(tt.as, `{ documents(where: {title: "plan"}) { nodes { budget notes } } }`)
			if want := `{"documents":{"nodes":[` + tt.want + `]}}`; a.data != want || fmt.Sprint(a.errors) != fmt.Sprint(tt.errors) || a.statements != 1 {
				w.Errorf("%s: %s in %d statements, want %s %v in one", tt.name, a, a.statements, want, tt.errors)
			}
			if len(tt.errors) == 0 {
				continue
			}
			for _, closed := range []string{`documents(where: {budgetGTE: 1}) { totalCount }`, `documents(orderBy: [{field: BUDGET}]) { nodes { id } }`,
				`documents { aggregate { sum { budget } } }`, `documents { groups(by: [{field: BUDGET}]) { aggregate { count } } }`} {
				if a := w.ask(tt.as, "{ "+closed+" }"); len(a.errors) != 1 || !strings.HasPrefix(a.errors[0], "FORBIDDEN") {
					w.Errorf("%s, %s: %s", tt.name, closed, a)
				}
			}
		}
		// Below rows of which there are many, and where there are none.
		a := w.ask(user(d.bob), `{ projects { nodes { documents { nodes { budget } } } } persons(orderBy: [{field: NAME}]) { nodes { documents { nodes { budget } } } } }`)
		if want := `{"projects":{"nodes":[{"documents":{"nodes":[{"budget":5}]}}]},"persons":{"nodes":[{"documents":{"nodes":[{"budget":5}]}},{"documents":{"nodes":[]}},` +
			`{"documents":{"nodes":[]}},{"documents":{"nodes":[]}},{"documents":{"nodes":[]}}]}}`; a.data != want || a.errors != nil {
			w.Errorf("below: %s, want %s", a, want)
		}
	})
}
