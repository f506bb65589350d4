package rules

import (
	"math/rand/v2"
	"testing"

	"entgo.io/ent"
	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"forge/internal/viewer"
	"forge/test/rules/ent/document"
	"forge/test/rules/ent/person"
	"forge/test/rules/ent/project"
	"forge/test/rules/ent/team"
)

// asked are queries that look at rows in many ways.
var asked = []string{
	`{ documents(first: 100) { totalCount nodes { id title } } }`,
	`{ documents(first: 100) { nodes { ...parts } } } fragment parts on Document { id budget }`,
	`{ documents(first: 100) { nodes { notes } } }`,
	`{ documents(first: 100) { nodes { ... on Document { author { name } } } } }`,
	`{ documents(first: 100) { aggregate { count max { title } } } }`,
	`{ documents(first: 100) { groups(by: [{field: TITLE}]) { aggregate { count } } } }`,
	`{ documents(first: 100, where: {not: {title: "a", hasProjectWith: [{not: {hasTeamWith: [{hasProjectsWith: []}]}}]}}) { totalCount } }`,
	`{ documents(first: 100, where: {or: [{title: "a"}, {title: "b"}]}) { nodes { id } } }`,
	`{ persons(first: 100, where: {documentsCountGTE: 2}) { totalCount } }`,
	`{ persons(first: 100, orderBy: [{field: DOCUMENTS_COUNT}]) { nodes { id } } }`,
	`{ projects(first: 100) { nodes { name team { name } documents(first: 3) { totalCount } } } }`,
	`{ teams(first: 100) { totalCount nodes { projects { id } } } }`,
	`{ teams(first: 100, where: {hasProjects: true}) { totalCount } }`,
	`{ documents(first: 100, where: {budgetGTE: 1}, orderBy: [{field: TITLE, direction: DESC}]) { nodes { id } } }`,
	`{ documents(first: 100, orderBy: [{field: PROJECT_NAME}]) { nodes { id } } }`,
	`{ document(id: "document_00000000000000000000000000") { id } node(id: "document_00000000000000000000000000") { id } }`,
}

// TestImpersonal checks that a query which is answered alike for all viewers of a role is answered
// so under random policies. Then a viewer without an ID gets the answer of any other.
func TestImpersonal(t *testing.T) {
	defer func(all ...ent.Policy) {
		person.Policy, team.Policy, project.Policy, document.Policy = all[0], all[1], all[2], all[3]
	}(person.Policy, team.Policy, project.Policy, document.Policy)
	each(t, func(w *world) {
		r := rand.New(rand.NewPCG(11, 11))
		g := guesser{r, w.fill(r)}
		as := func(i int, roles ...string) viewer.Viewer {
			return viewer.Viewer{ID: g.rows["Person"][i]["id"].(uuid.UUID), Role: viewer.User, Roles: viewer.NewRoles(roles...)}
		}
		admin := viewer.System
		admin.ID = as(0).ID
		const rounds = 150
		alike := map[string]int{}
		for round := range rounds {
			g.guessAll()
			w.newEngine()
			for _, v := range []viewer.Viewer{admin, as(0), as(1), as(2, "AUDITOR"), as(3, "FINANCE", "AUDITOR")} {
				for _, query := range asked {
					if !w.impersonal(v, query) {
						continue
					}
					alike[query]++
					nobody := v
					nobody.ID = uuid.Nil
					if one, other := w.ask(v, query).String(), w.ask(nobody, query).String(); one != other {
						t.Errorf("round %d: %s %v: %s\n%s\nwithout an ID %s", round, v.Role, v.Roles, query, one, other)
					}
				}
			}
		}
		for query, n := range alike {
			if n == rounds*5 {
				t.Errorf("always alike: %s", query)
			}
		}
		if len(alike) < 6 { // projects and teams have filters of their own
			t.Errorf("few queries were alike: %v", alike)
		}
	})
}

// impersonal reports whether a query is answered alike for all viewers who are like v.
func (w *world) impersonal(v viewer.Viewer, query string) bool {
	doc := w.document(query)
	op := &graphql.OperationContext{Doc: doc, Operation: doc.Operations[0], Variables: map[string]any{}}
	return w.engine.Impersonal(viewer.NewContext(w.Context(), v), op)
}
