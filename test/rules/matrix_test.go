package rules

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"forge/internal/viewer"
	"forge/test/rules/ent"
)

const matrixPage = "ACCESS.md"

// TestMatrix tries what can be seen and changed of documents as viewers of all kinds on both
// databases, and compares the results with ACCESS.md. With UPDATE_PAGES=1 it writes the page.
func TestMatrix(t *testing.T) {
	each(t, func(w *world) {
		page := newTeam(w).page()
		if os.Getenv("UPDATE_PAGES") != "" {
			if err := os.WriteFile(matrixPage, []byte(page), 0o644); err != nil {
				w.Fatal(err)
			}
		}
		if known, err := os.ReadFile(matrixPage); err != nil || string(known) != page {
			w.Errorf("ACCESS.md is not what happens (%v):\n%s\nUPDATE_PAGES=1 go test ./test/rules -run TestMatrix writes the page", err, page)
		}
	})
}

// column is a viewer of the matrix.
type column struct {
	name string
	as   viewer.Viewer
}

func (s *scene) page() string {
	columns := []column{
		{"anonymous", viewer.Viewer{}}, {"editor", user(s.ada)}, {"reader", user(s.bob)}, {"who left", user(s.cleo)}, {"watcher", user(s.dora)},
		{"author", user(s.eve)}, {"`AUDITOR`", user(s.dora, "AUDITOR")}, {"`FINANCE`", user(s.ada, "FINANCE")}, {"admin", viewer.System},
	}
	var b strings.Builder
	b.WriteString("<!-- Generated: UPDATE_PAGES=1 go test ./test/rules -run TestMatrix -->\n# Who may do what with documents\n\n" +
		"The rules are in [ent/schema/schema.go](ent/schema/schema.go). The document *plan* belongs to a project of a team, and an *editor* of the team wrote it. " +
		"The *reader* is in the team, is no editor, and a row of `Staff` gives them the duty `money`. *Who left* was an editor: the membership is hidden. " +
		"The *watcher* watches the project. The *author* wrote the *diary*, which belongs to no project, and is in no team. `AUDITOR` is the watcher with that role, and `FINANCE` the editor with that role.\n\n" +
		"## What each sees\n\nTitles, values, or the code of the error.\n\n")
	header(&b, columns)
	for _, query := range []string{
		`documents(orderBy: [{field: TITLE}]) { nodes { title } }`, `documents { totalCount }`, `plan: document(id: $plan) { title }`, `plan: document(id: $plan) { budget }`,
		`plan: document(id: $plan) { notes }`, `documents(where: {budgetGTE: 1}) { totalCount }`, `persons(where: {hasDocuments: true}) { totalCount }`, `projects { nodes { name } }`,
	} {
		line(&b, "`"+query+"`", columns, func(v viewer.Viewer) string {
			return s.seen(v, strings.ReplaceAll(query, "$plan", fmt.Sprintf("%q", s.plan.GlobalID())))
		})
	}
	b.WriteString("\n## What each changes\n\n`done`, the code of the error, or – if the row is none that they may change.\n\n")
	header(&b, columns)
	for _, c := range s.changes() {
		line(&b, c.name, columns, func(v viewer.Viewer) string { return done(s.outcome(v, c.do)) })
	}
	return b.String()
}

func header(b *strings.Builder, columns []column) {
	b.WriteString("| |")
	for _, c := range columns {
		b.WriteString(" " + c.name + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(columns)) + "\n")
}

func line(b *strings.Builder, name string, columns []column, cell func(viewer.Viewer) string) {
	b.WriteString("| " + name + " |")
	for _, c := range columns {
		b.WriteString(" " + cell(c.as) + " |")
	}
	b.WriteString("\n")
}

// shown takes what is no value out of an answer.
var shown = strings.NewReplacer(`"documents":`, "", `"persons":`, "", `"projects":`, "", `"plan":`, "", `"nodes":`, "", `"totalCount":`, "", `"title":`, "", `"name":`, "",
	`"budget":`, "", `"notes":`, "", "{", "", "}", "", "[", "", "]", "", `"`, "", ",", ", ")

// seen returns what a query shows, or the code of its error.
func (s *scene) seen(v viewer.Viewer, query string) string {
	a := s.ask(v, "{ "+query+" }")
	if a.errors != nil {
		code, _, _ := strings.Cut(a.errors[0], " ")
		return code
	}
	if text := shown.Replace(a.data); text != "" {
		return text
	}
	return "–"
}

func (s *scene) changes() []change {
	return []change{
		{name: "add one for oneself", do: added(func(*ent.DocumentCreate) {})},
		{name: "add one for the author, in the team's project", do: added(func(c *ent.DocumentCreate) { c.SetAuthorID(s.eve.ID).SetProjectID(s.apollo.ID) })},
		{name: "change the title of the plan", do: updated(s.plan, func(u *ent.DocumentUpdate) { u.SetTitle("new") })},
		{name: "change the title of the diary", do: updated(s.diary, func(u *ent.DocumentUpdate) { u.SetTitle("new") })},
		{name: "set the budget of the plan", do: updated(s.plan, func(u *ent.DocumentUpdate) { u.SetBudget(1) })},
		{name: "set the notes of the plan", do: updated(s.plan, func(u *ent.DocumentUpdate) { u.SetNotes("new") })},
		{name: "set the notes of the diary", do: updated(s.diary, func(u *ent.DocumentUpdate) { u.SetNotes("new") })},
		{name: "give the plan to the author, in another project", do: updated(s.plan, func(u *ent.DocumentUpdate) { u.SetAuthorID(s.eve.ID).SetProjectID(s.other.ID) })},
		{name: "remove the plan", do: removed(s.plan)},
		{name: "remove the diary", do: removed(s.diary)},
	}
}

// done describes the outcome of a change.
func done(outcome any) string {
	switch outcome {
	case 0:
		return "–"
	case 1:
		return "done"
	}
	return fmt.Sprint(outcome)
}
