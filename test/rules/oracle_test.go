package rules

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/privacy"
	"github.com/google/uuid"

	"forge/internal/ids"
	"forge/internal/rule"
	"forge/internal/unit"
	"forge/internal/viewer"
	rulesent "forge/test/rules/ent"
	"forge/test/rules/ent/document"
	"forge/test/rules/ent/membership"
	"forge/test/rules/ent/person"
	"forge/test/rules/ent/project"
	"forge/test/rules/ent/team"
)

// row is a row as the oracle knows it: its columns, by their names.
type row map[string]any

// oracle holds all rows, and says by brute force what rules say of them.
type oracle struct {
	rows     map[string][]row // by entity, in the order of their keys
	watchers map[[2]uuid.UUID]bool
}

// edges are the edges that paths follow: from an entity, by a name, to an entity, by a column of
// the one or the other.
var edges = map[string]struct{ to, own, their string }{
	"Document.project": {"Project", "project_id", "id"}, "Document.author": {"Person", "author_id", "id"},
	"Project.team": {"Team", "team_id", "id"}, "Project.documents": {"Document", "id", "project_id"}, "Project.watchers": {"Person", "", ""},
	"Team.memberships": {"Membership", "id", "team_id"}, "Team.projects": {"Project", "id", "team_id"}, "Person.documents": {"Document", "id", "author_id"},
}

// lead returns the rows to which a path leads from a row, and their entity.
func (o *oracle) lead(of string, from row, path string) []row {
	if path == "" {
		return []row{from}
	}
	name, rest, _ := strings.Cut(path, ".")
	edge := edges[of+"."+name]
	var found []row
	for _, other := range o.rows[edge.to] {
		joined := edge.own != "" && from[edge.own] != nil && from[edge.own] == other[edge.their]
		if edge.own == "" {
			joined = o.watchers[[2]uuid.UUID{from["id"].(uuid.UUID), other["id"].(uuid.UUID)}]
		}
		if joined && other["hidden"] != true {
			found = append(found, o.lead(edge.to, other, rest)...)
		}
	}
	return found
}

// guess is a rule, and what the oracle says of it.
type guess struct {
	who   rule.Who
	text  string
	holds func(v viewer.Viewer, r row) bool
	owns  bool // it is, or has among others, that of owners
}

// guesser makes random rules.
type guesser struct {
	*rand.Rand
	*oracle
}

// named are the columns with persons at the ends of paths from an entity. Those marked with a star
// begin with a key of the row itself, so that they are rules for new rows as well.
var named = map[string][][2]string{
	"Document": {{"*", "author_id"}, {"*project.team.memberships", "person_id"}, {"*project.watchers", "id"}, {"*author", "id"}, {"*project.documents", "author_id"}},
	"Project":  {{"*team.memberships", "person_id"}, {"watchers", "id"}, {"documents", "author_id"}},
	"Team":     {{"memberships", "person_id"}, {"projects.watchers", "id"}, {"projects.documents", "author_id"}},
	"Person":   {{"*", "id"}, {"documents.project.team.memberships", "person_id"}},
}

// guess makes a rule for an entity, for its new rows if made is true.
func (g guesser) guess(of string, made bool, depth int) guess {
	n := g.IntN(12)
	switch {
	case depth < 1 && n < 5, depth < 2 && n == 0:
		return g.several(of, made, depth)
	case n == 5:
		groups := []rule.Group{rule.Nobody, rule.Admins, rule.SignedIn, rule.Everyone}
		group := groups[g.IntN(len(groups))]
		return guess{group, fmt.Sprint("group ", group), func(v viewer.Viewer, _ row) bool {
			return group == rule.Everyone || v.Role == viewer.Admin && group != rule.Nobody || group == rule.SignedIn && v.Role == viewer.User
		}, false}
	case n == 6:
		name := []string{"AUDITOR", "FINANCE"}[g.IntN(2)]
		return guess{rule.Role(name), name, func(v viewer.Viewer, _ row) bool { return v.Role == viewer.Admin || v.Roles.Has(name) }, false}
	case n == 7:
		in := rule.Members{In: "Staff", User: "person_id", With: map[string][]any{"duty": []any{"money", "tea"}[:1+g.IntN(2)]}}
		return guess{in, fmt.Sprint(in), func(v viewer.Viewer, _ row) bool { return g.names(v, g.rows["Staff"], in) }, false}
	case n == 8 && of == "Document":
		m := rule.Members{User: "author_id"}
		return guess{rule.Owners, "owners", func(v viewer.Viewer, r row) bool { return g.names(v, []row{r}, m) }, true}
	}
	choices := named[of]
	if made {
		choices = slices.DeleteFunc(slices.Clone(choices), func(c [2]string) bool { return c[0][0] != '*' })
	}
	c := choices[g.IntN(len(choices))]
	m := rule.Members{Path: strings.TrimPrefix(c[0], "*"), User: c[1]}
	if strings.HasSuffix(m.Path, "memberships") && g.IntN(2) == 0 {
		m.With = map[string][]any{"role": {"EDITOR"}}
	}
	return guess{m, fmt.Sprint(m), func(v viewer.Viewer, r row) bool { return g.names(v, g.lead(of, r, m.Path), m) }, false}
}

// several makes a rule of two or three others.
func (g guesser) several(of string, made bool, depth int) guess {
	var parts []rule.Who
	var guesses []guess
	made2 := guess{text: "any"}
	for range 2 + g.IntN(2) {
		part := g.guess(of, made, depth+1)
		guesses, parts = append(guesses, part), append(parts, part.who)
		made2.owns = made2.owns || part.owns
	}
	all := g.IntN(2) == 0
	made2.who = rule.Any(parts...)
	if all {
		made2.who, made2.text = rule.All(parts...), "all"
	}
	for _, part := range guesses {
		made2.text += "(" + part.text + ")"
	}
	made2.holds = func(v viewer.Viewer, r row) bool {
		return slices.ContainsFunc(guesses, func(part guess) bool { return part.holds(v, r) != all }) != all
	}
	return made2
}

// names reports whether one of the rows names a viewer, or the viewer is an administrator.
func (*oracle) names(v viewer.Viewer, rows []row, m rule.Members) bool {
	if v.Role != viewer.User {
		return v.Role == viewer.Admin
	}
	return slices.ContainsFunc(rows, func(r row) bool {
		for column, values := range m.With {
			if !slices.Contains(values, r[column]) {
				return false
			}
		}
		return r[m.User] == v.ID
	})
}

// fill stores random rows, and returns what the oracle knows of them.
func (w *world) fill(r *rand.Rand) *oracle {
	ctx, c := privacy.DecisionContext(w.system, privacy.Allow), w.ent
	o := &oracle{map[string][]row{}, map[[2]uuid.UUID]bool{}}
	add := func(of string, id uuid.UUID, columns row) uuid.UUID {
		columns["id"] = id
		o.rows[of] = append(o.rows[of], columns)
		return id
	}
	any := func(of string) uuid.UUID { return o.rows[of][r.IntN(len(o.rows[of]))]["id"].(uuid.UUID) }
	for range 4 {
		add("Person", c.Person.Create().SetName("P").SaveX(ctx).ID, row{})
	}
	for i := range 4 {
		add("Team", c.Team.Create().SetName("T").SetHidden(i == 3).SaveX(ctx).ID, row{"hidden": i == 3})
	}
	for range 12 {
		t, p, role, hidden := any("Team"), any("Person"), []membership.Role{membership.RoleREADER, membership.RoleEDITOR}[r.IntN(2)], r.IntN(4) == 0
		m := c.Membership.Create().SetTeamID(t).SetPersonID(p).SetRole(role).SetHidden(hidden).SaveX(ctx)
		add("Membership", m.ID, row{"team_id": t, "person_id": p, "role": string(role), "hidden": hidden})
	}
	for i := range 2 {
		duty, p := []string{"money", "tea"}[i], any("Person")
		add("Staff", c.Staff.Create().SetDuty(duty).SetPersonID(p).SaveX(ctx).ID, row{"duty": duty, "person_id": p})
	}
	for i := range 6 {
		columns, create := row{}, c.Project.Create().SetName("P")
		if i > 0 {
			columns["team_id"] = any("Team")
			create.SetTeamID(columns["team_id"].(uuid.UUID))
		}
		id := add("Project", create.SaveX(ctx).ID, columns)
		watcher := any("Person")
		c.Project.UpdateOneID(id).AddWatcherIDs(watcher).ExecX(ctx)
		o.watchers[[2]uuid.UUID{id, watcher}] = true
	}
	for i := range 14 {
		columns, create := row{"title": []string{"a", "b", "c"}[i%3], "budget": i}, c.Document.Create().SetTitle([]string{"a", "b", "c"}[i%3]).SetBudget(int32(i))
		if i > 1 {
			columns["project_id"] = any("Project")
			create.SetProjectID(columns["project_id"].(uuid.UUID))
		}
		if i%4 > 0 {
			columns["author_id"] = any("Person")
			create.SetAuthorID(columns["author_id"].(uuid.UUID))
		}
		add("Document", create.SaveX(ctx).ID, columns)
	}
	for _, all := range o.rows {
		slices.SortFunc(all, func(a, b row) int { return cmp.Compare(fmt.Sprint(a["id"]), fmt.Sprint(b["id"])) })
	}
	return o
}

// policies are the random policies of one round.
type policies struct {
	read                                     map[string]guess
	create, update, remove, budget, setTitle guess

	createProject, updateProject, updatePerson guess
}

// and returns the rule that somebody fulfils who fulfils both rules.
func (g guess) and(other guess) guess {
	of := g
	of.holds = func(v viewer.Viewer, r row) bool { return g.holds(v, r) && other.holds(v, r) }
	return of
}

// guessAll makes policies, and has ent apply them.
func (g guesser) guessAll() (p policies) {
	p.read = map[string]guess{}
	for _, of := range []string{"Person", "Team", "Project", "Document"} {
		p.read[of] = g.guess(of, false, 0)
	}
	p.create, p.update, p.remove = g.guess("Document", true, 0), g.guess("Document", false, 0), g.guess("Document", false, 0)
	p.budget, p.setTitle = g.guess("Document", false, 0), g.guess("Document", true, 0)
	p.createProject, p.updateProject, p.updatePerson = g.guess("Project", true, 0), g.guess("Project", false, 0), g.guess("Person", false, 0)
	defer func() { // what is changed has to be read as well
		p.update, p.remove = p.update.and(p.read["Document"]), p.remove.and(p.read["Document"])
		p.updateProject, p.updatePerson = p.updateProject.and(p.read["Project"]), p.updatePerson.and(p.read["Person"])
	}()
	person.Policy = privacy.Policies{rule.Policy{Read: p.read["Person"].who, Update: p.updatePerson.who}}
	team.Policy = privacy.Policies{rule.Policy{Read: p.read["Team"].who}}
	project.Policy = privacy.Policies{rule.Policy{Read: p.read["Project"].who, Create: p.createProject.who, Update: p.updateProject.who}}
	document.Policy = privacy.Policies{rule.Policy{Read: p.read["Document"].who, Create: p.create.who, Update: p.update.who, Delete: p.remove.who,
		Owner: rule.Owner{Column: "author_id"}, ShownTo: map[string]rule.Who{"budget": p.budget.who, "notes": rule.Admins}, SetBy: map[string]rule.Who{"title": p.setTitle.who}}}
	return p
}

// TestRandomPolicies compares what random policies let viewers read and change with what the oracle
// says: pages, counts, look-ups, groups, aggregates, conditions, orders, fields, and changes.
func TestRandomPolicies(t *testing.T) {
	defer func(all ...ent.Policy) {
		person.Policy, team.Policy, project.Policy, document.Policy = all[0], all[1], all[2], all[3]
	}(person.Policy, team.Policy, project.Policy, document.Policy)
	each(t, func(w *world) {
		r := rand.New(rand.NewPCG(7, 7))
		g := guesser{r, w.fill(r)}
		person := func(i int, roles ...string) viewer.Viewer {
			return viewer.Viewer{ID: g.rows["Person"][i]["id"].(uuid.UUID), Role: viewer.User, Roles: viewer.NewRoles(roles...)}
		}
		viewers := []viewer.Viewer{{}, viewer.System, person(0), person(1), person(2, "AUDITOR"), person(3, "FINANCE", "AUDITOR"), stranger}
		bound := w.bindMutations()
		const all = 40
		rounds := all
		if w.db.Dialect == dialect.Postgres || testing.Short() {
			rounds = 4 // planning so many subqueries takes long
		}
		for round := range rounds {
			p := g.guessAll()
			w.newEngine()
			for range 2 { // the second time by kept statements
				for _, v := range viewers {
					w.compareReads(g, p, v, fmt.Sprintf("round %d: %s %s", round, v.Role, v.ID))
				}
			}
			for _, v := range viewers {
				at := fmt.Sprintf("round %d: %s %s", round, v.Role, v.ID)
				w.compareChanges(g, p, v, at)
				if rounds == all || v == viewers[2+round%4] {
					nested{w, g, p, v, at, bound}.compare()
				}
			}
			if w.Failed() {
				w.Fatalf("round %d: read %s, %s, %s, %s; create %s; update %s; delete %s; budget %s; title %s; of projects %s and %s; of persons %s", round, p.read["Person"].text, p.read["Team"].text, p.read["Project"].text,
					p.read["Document"].text, p.create.text, p.update.text, p.remove.text, p.budget.text, p.setTitle.text,
					p.createProject.text, p.updateProject.text, p.updatePerson.text)
			}
		}
	})
}

const everything = `{
	documents(first: 100) { totalCount nodes { id budget project { id } author { id } } aggregate { count max { title } } groups(by: [{field: TITLE}]) { key { title } aggregate { count } } }
	projects(first: 100) { totalCount nodes { id team { id } documents(first: 100) { totalCount nodes { id } } } }
	teams(first: 100, where: {not: {hasProjectsWith: [{hasDocuments: true}]}}) { nodes { id } }
	persons(first: 100, where: {documentsCountGTE: 2}, orderBy: [{field: DOCUMENTS_COUNT}]) { totalCount nodes { id } }
}`

// compareReads compares all that a viewer reads.
func (w *world) compareReads(g guesser, p policies, v viewer.Viewer, at string) {
	w.Helper()
	a := w.ask(v, everything)
	want, hidden := g.everything(p, v)
	text, _ := json.Marshal(want)
	if got := canonical(a.data); got != canonical(string(text)) || len(a.errors) != hidden {
		w.Errorf("%s: %s\nand %d errors, want %s\nand %d", at, got, len(a.errors), canonical(string(text)), hidden)
	}
}

// canonical returns JSON with the members of objects in order.
func canonical(text string) string {
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return err.Error() + ": " + text
	}
	b, _ := json.Marshal(value)
	return string(b)
}

type object map[string]any

// everything returns what a viewer sees, and how many fields are hidden.
func (g guesser) everything(p policies, v viewer.Viewer) (object, int) {
	sees := func(of string, r row) bool { return r["hidden"] != true && p.read[of].holds(v, r) }
	seen := func(of string, rows []row) (list []row) {
		for _, r := range rows {
			if sees(of, r) {
				list = append(list, r)
			}
		}
		return list
	}
	id := func(of string, r row) object {
		return object{"id": ids.ID{Prefix: strings.ToLower(of), UUID: r["id"].(uuid.UUID)}.String()}
	}
	one := func(of string, from row, path string) any {
		for _, r := range seen(edges[path].to, g.lead(of, from, strings.TrimPrefix(path, of+"."))) {
			return id(edges[path].to, r)
		}
		return nil
	}
	hidden := 0
	documents := seen("Document", g.rows["Document"])
	nodes, groups, max := []object{}, []object{}, any(nil)
	for _, r := range documents {
		node := id("Document", r)
		node["budget"], node["project"], node["author"] = r["budget"], one("Document", r, "Document.project"), one("Document", r, "Document.author")
		if !p.budget.holds(v, r) {
			node["budget"] = nil
			hidden++
		}
		nodes = append(nodes, node)
	}
	for _, title := range []string{"a", "b", "c"} {
		n := 0
		for _, r := range documents {
			if r["title"] == title {
				n++
			}
		}
		if n > 0 {
			groups, max = append(groups, object{"key": object{"title": title}, "aggregate": object{"count": n}}), title
		}
	}
	all := object{"documents": object{"totalCount": len(nodes), "nodes": nodes, "aggregate": object{"count": len(nodes), "max": object{"title": max}}, "groups": groups}}
	projects := []object{}
	for _, r := range seen("Project", g.rows["Project"]) {
		below := []object{}
		for _, d := range seen("Document", g.lead("Project", r, "documents")) {
			below = append(below, id("Document", d))
		}
		node := id("Project", r)
		node["team"], node["documents"] = one("Project", r, "Project.team"), object{"totalCount": len(below), "nodes": below}
		projects = append(projects, node)
	}
	all["projects"] = object{"totalCount": len(projects), "nodes": projects}
	teams := []object{}
	for _, r := range seen("Team", g.rows["Team"]) {
		if !slices.ContainsFunc(seen("Project", g.lead("Team", r, "projects")), func(p row) bool { return len(seen("Document", g.lead("Project", p, "documents"))) > 0 }) {
			teams = append(teams, id("Team", r))
		}
	}
	all["teams"] = object{"nodes": teams}
	number := func(r row) int { return len(seen("Document", g.lead("Person", r, "documents"))) }
	busy := slices.DeleteFunc(seen("Person", g.rows["Person"]), func(r row) bool { return number(r) < 2 })
	slices.SortStableFunc(busy, func(a, b row) int { return cmp.Compare(number(a), number(b)) })
	persons := []object{}
	for _, r := range busy {
		persons = append(persons, id("Person", r))
	}
	all["persons"] = object{"totalCount": len(persons), "nodes": persons}
	return all, hidden
}

// compareChanges compares whether a viewer may make changes of documents.
func (w *world) compareChanges(g guesser, p policies, v viewer.Viewer, at string) {
	w.Helper()
	may := func(who guess, r row) bool { return v.Role != viewer.Anonymous && who.holds(v, r) }
	check := func(what string, want bool, do func(c *rulesent.Client) (int, error)) {
		w.Helper()
		u := unit.New(w.db, unit.Write)
		defer u.Rollback()
		if n, err := do(rulesent.UnitClient(u)); (err == nil && n == 1) != want {
			w.Errorf("%s %s: %d, %v; want %t", at, what, n, err, want)
		}
	}
	ctx := w.as(v)
	for range 3 {
		r := g.rows["Document"][g.IntN(len(g.rows["Document"]))]
		id, to, by := r["id"].(uuid.UUID), g.rows["Project"][g.IntN(6)]["id"].(uuid.UUID), g.rows["Person"][g.IntN(4)]["id"].(uuid.UUID)
		moved, given := with(r, "project_id", to), with(r, "author_id", by)
		check("moves "+id.String(), may(p.update, r) && may(p.update, moved), func(c *rulesent.Client) (int, error) {
			return c.Document.Update().Where(document.ID(id)).SetProjectID(to).Save(ctx)
		})
		check("gives "+id.String(), may(p.update, r) && may(p.update, given), func(c *rulesent.Client) (int, error) {
			return c.Document.Update().Where(document.ID(id)).SetAuthorID(by).Save(ctx)
		})
		check("names "+id.String(), may(p.update, r) && may(p.setTitle, r), func(c *rulesent.Client) (int, error) {
			return c.Document.Update().Where(document.ID(id)).SetTitle("x").Save(ctx)
		})
		check("spends "+id.String(), may(p.update, r), func(c *rulesent.Client) (int, error) {
			return c.Document.Update().Where(document.ID(id)).SetBudget(1).Save(ctx)
		})
		check("removes "+id.String(), may(p.remove, r), func(c *rulesent.Client) (int, error) {
			return c.Document.Delete().Where(document.ID(id)).Exec(ctx)
		})
		made := row{"id": uuid.New(), "title": "x", "project_id": to, "author_id": by}
		check("makes for another", may(p.create, made) && may(p.setTitle, made), func(c *rulesent.Client) (int, error) {
			return saved(c.Document.Create().SetTitle("x").SetProjectID(to).SetAuthorID(by).Save(ctx))
		})
		own := row{"id": uuid.New(), "title": "x", "project_id": to}
		if p.create.owns && v.Role == viewer.User {
			own["author_id"] = v.ID
		}
		if v.ID == stranger.ID && p.create.owns {
			continue // no row has the key, so the database refuses it
		}
		check("makes", may(p.create, own) && may(p.setTitle, own), func(c *rulesent.Client) (int, error) {
			return saved(c.Document.Create().SetTitle("x").SetProjectID(to).Save(ctx))
		})
	}
}

func with(r row, column string, value any) row {
	of := row{column: value}
	for name := range r {
		if name != column {
			of[name] = r[name]
		}
	}
	return of
}
