package rules

import (
	"errors"
	"slices"

	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/unit"
	"forge/internal/viewer"
	"forge/internal/write"
	"forge/test/rules/ent"
	"forge/test/rules/ent/migrate"
)

// mutations write documents together with what they are related to.
const mutations = `
type Mutation {
  createProject(input: CreateProjectInput!): ProjectPayload!
  updateProject(id: ID!, input: UpdateProjectInput!): ProjectPayload!
  updatePerson(id: ID!, input: UpdatePersonInput!): PersonPayload!
  createDocument(input: CreateDocumentInput!, onConflict: DocumentConflict): DocumentPayload!
  updateDocument(id: ID!, input: UpdateDocumentInput!): DocumentPayload!
  createDocuments(input: [CreateDocumentInput!]!, onError: OnError! = ABORT): ManyPayload!
  updateDocuments(where: DocumentWhereInput!, input: UpdateDocumentsInput!, atMost: Int! = 100): ManyPayload!
  deleteDocuments(where: DocumentWhereInput!, atMost: Int! = 100): ManyPayload!
}
enum OnError { ABORT SKIP }
enum OnConflict { UPDATE NOTHING }
enum DocumentUnique { ID }
input DocumentConflict { on: DocumentUnique! do: OnConflict! }
type ProjectPayload { project: Project! }
type PersonPayload { person: Person! }
type DocumentPayload { document: Document! }
type ManyPayload { affected: Int! }
input CreateProjectInput { name: String! teamId: ID documents: NewDocuments }
input NewDocuments { create: [CreateDocumentInput!] connect: [ID!] }
input UpdateProjectInput { name: String documents: Documents watchers: Watchers }
input Documents { create: [CreateDocumentInput!] connect: [ID!] disconnect: [ID!] set: [ID!] update: [DocumentEntry!] delete: [ID!] }
input DocumentEntry { id: ID! input: UpdateDocumentsInput! }
input Watchers { connect: [ID!] disconnect: [ID!] }
input UpdatePersonInput { name: String watches: Watchers }
input CreateDocumentInput { id: ID title: String! projectId: ID project: OneProject authorId: ID }
input OneProject { create: CreateProjectInput connect: ID }
input UpdateDocumentInput { project: OneProject }
input UpdateDocumentsInput { budget: Int }
`

// bindMutations returns the standard mutations.
func (w *world) bindMutations() map[string]*write.Mutation {
	w.Helper()
	bound, findings := write.Bind(write.Contract{Schema: gqlparser.MustLoadSchema(&ast.Source{Input: sdl + mutations}), Entities: takingIDs("Document"), Tables: migrate.Tables, Query: ent.QueryEntity})
	if findings != nil {
		w.Fatalf("%q", findings)
	}
	return bound
}

// nested compares what a viewer may write in nested inputs, by one key and in bulk with what the
// viewer may write directly.
type nested struct {
	*world
	guesser
	policies
	viewer viewer.Viewer
	at     string
	bound  map[string]*write.Mutation
}

func (n nested) may(who guess, r row) bool {
	return n.viewer.Role != viewer.Anonymous && who.holds(n.viewer, r)
}

func (n nested) sees(of string, r row) bool {
	return r["hidden"] != true && n.read[of].holds(n.viewer, r)
}

// idOf returns the ID of a row.
func idOf(prefix string, r row) string {
	return ids.ID{Prefix: prefix, UUID: r["id"].(uuid.UUID)}.String()
}

// check carries a mutation out, and undoes it. It compares how many rows the mutation writes: 0 if
// it is to be refused.
func (n nested) check(name, what string, want int, args object) {
	n.world.Helper()
	u := unit.New(n.db, unit.Write)
	defer u.Rollback()
	result, err := n.bound[name].Run(viewer.NewContext(unit.NewContext(n.Context(), u), n.viewer), args, n.engine)
	if _, violates := database.Violation(err); err != nil && !violates {
		fault, known := errors.AsType[*apperr.Error](err)
		if !known || n.viewer.Role == viewer.Anonymous && fault.Code == apperr.CodeForbidden {
			n.Errorf("%s: %s: %v", n.at, what, err)
		}
	}
	got := result.Affected
	if err != nil {
		got = 0
	}
	if got != want {
		n.Errorf("%s: %s: %d, %v; want %d, by %v", n.at, what, got, err, want, args)
	}
}

// count returns 1 if all conditions hold, and otherwise 0.
func count(all ...bool) int {
	if slices.Contains(all, false) {
		return 0
	}
	return 1
}

func (n nested) compare() {
	n.world.Helper()
	pick := func(of string) row { return n.rows[of][n.IntN(len(n.rows[of]))] }
	document, project, team, person := pick("Document"), pick("Project"), pick("Team"), pick("Person")
	if n.IntN(2) == 0 { // a document of the project
		if of := n.lead("Project", project, "documents"); len(of) > 0 {
			document = of[n.IntN(len(of))]
		}
	}
	id, in, by := idOf("document", document), idOf("project", project), idOf("person", person)
	related := document["project_id"] == project["id"]
	moved := with(document, "project_id", project["id"])
	made := row{"id": uuid.New(), "title": "x", "project_id": project["id"], "author_id": person["id"]}
	entry := object{"title": "x", "authorId": by}
	creates, names := n.may(n.create, made), n.may(n.setTitle, made)
	changes, sees := n.may(n.updateProject, project), n.sees("Person", person)
	update := func(part string, value any) object {
		return object{"id": in, "input": map[string]any{"documents": map[string]any{part: []any{value}}}}
	}

	n.check("updateProject", "connects", count(changes, n.may(n.update, document), n.may(n.update, moved)), update("connect", id))
	n.check("updateProject", "disconnects", count(changes, related, n.may(n.update, document), n.may(n.update, with(document, "project_id", nil))), update("disconnect", id))
	n.check("updateProject", "deletes", count(changes, related, n.may(n.remove, document)), update("delete", id))
	n.check("updateProject", "updates", count(changes, related, n.may(n.update, document)), update("update", map[string]any{"id": id, "input": map[string]any{"budget": 1}}))
	n.check("updateProject", "creates", count(changes, creates, names, sees), update("create", map[string]any(entry)))
	n.check("updateProject", "connects a watcher", count(changes, sees), object{"id": in, "input": map[string]any{"watchers": map[string]any{"connect": []any{by}}}})
	n.check("updatePerson", "watches", count(changes, n.may(n.updatePerson, person)), object{"id": by, "input": map[string]any{"watches": map[string]any{"connect": []any{in}}}})
	n.check("updateDocument", "moves", count(n.sees("Project", project), n.may(n.update, document), n.may(n.update, moved)),
		object{"id": id, "input": map[string]any{"project": map[string]any{"connect": in}}})

	// A new project has the team, and no watchers.
	fresh := row{"id": uuid.New(), "team_id": team["id"]}
	makes := n.may(n.createProject, fresh) && n.sees("Team", team)
	all := n.rows["Project"]
	n.rows["Project"] = append(slices.Clip(all), fresh)
	n.check("createProject", "creates a project for a document", count(makes, n.may(n.update, document), n.may(n.update, with(document, "project_id", fresh["id"]))),
		object{"input": map[string]any{"name": "x", "teamId": idOf("team", team), "documents": map[string]any{"connect": []any{id}}}})
	within := with(made, "project_id", fresh["id"])
	n.check("createDocument", "creates a project with a document", count(makes, sees, n.may(n.create, within), n.may(n.setTitle, within)),
		object{"input": map[string]any{"title": "x", "authorId": by, "project": map[string]any{"create": map[string]any{"name": "x", "teamId": idOf("team", team)}}}})
	n.rows["Project"] = all

	// By its key, a document is created or updated. In bulk, those are changed that may be.
	whole := with(moved, "author_id", person["id"])
	full := map[string]any{"id": id, "title": "x", "projectId": in, "authorId": by}
	n.check("createDocument", "updates by the key", count(sees, n.sees("Project", project), n.may(n.update, document), n.may(n.update, whole), n.may(n.setTitle, document)),
		object{"input": full, "onConflict": map[string]any{"on": "ID", "do": "UPDATE"}})
	other := pick("Project")
	made2 := with(made, "project_id", other["id"])
	n.check("createDocuments", "creates several", count(sees, n.sees("Project", project), creates, names)+count(sees, n.sees("Project", other), n.may(n.create, made2), n.may(n.setTitle, made2)),
		object{"onError": "SKIP", "input": []any{map[string]any{"title": "x", "projectId": in, "authorId": by}, map[string]any{"title": "x", "projectId": idOf("project", other), "authorId": by}}})
	updated, removed := 0, 0
	for _, r := range n.rows["Document"] {
		if r["title"] == "a" {
			updated += count(n.may(n.update, r))
			removed += count(n.may(n.remove, r))
		}
	}
	n.check("updateDocuments", "updates several", updated, object{"where": map[string]any{"title": "a"}, "input": map[string]any{"budget": 3}, "atMost": 100})
	n.check("deleteDocuments", "deletes several", removed, object{"where": map[string]any{"title": "a"}, "atMost": 100})
}

// takingIDs returns the entities. Clients may make the IDs of one of them.
func takingIDs(name string) (list []*entity.Entity) {
	for _, e := range ent.Entities {
		if e.Name == name {
			of := *e
			of.ClientIDs = true
			e = &of
		}
		list = append(list, e)
	}
	return list
}
