package rules

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"entgo.io/ent"
	"entgo.io/ent/privacy"
	"github.com/google/uuid"

	"forge/internal/changes"
	"forge/internal/ids"
	"forge/internal/rule"
	"forge/internal/viewer"
	rulesent "forge/test/rules/ent"
	"forge/test/rules/ent/document"
)

// TestWhoHears changes random documents under random policies. A viewer hears of a change if a read
// after it shows them the document, and never if no read before or after it does. Administrators
// and owners also hear of it if only a read before it does.
func TestWhoHears(t *testing.T) {
	defer func(p ent.Policy) { document.Policy = p }(document.Policy)
	rounds := 20
	if os.Getenv("FORGE_SOAK") != "" {
		rounds = 1000
	}
	each(t, func(w *world) {
		r := rand.New(rand.NewPCG(9, 9))
		g := guesser{r, w.fill(r)}
		w.hears()
		for round := range rounds {
			read := g.guess("Document", false, 0)
			document.Policy = privacy.Policies{rule.Policy{Read: read.who, Owner: rule.Owner{Column: "author_id"}}}
			w.newEngine()
			for range 5 {
				w.hearsOne(g, read, fmt.Sprintf("round %d, %s", round, read.text))
			}
			if w.Failed() {
				return
			}
		}
	})
}

// hears makes all changes readable, and returns the cursor after them.
func (w *world) hears() string {
	if err := changes.New(w.db.DB, w.db.Dialect, rulesent.Entities).Tick(w.Context()); err != nil {
		w.Fatal(err)
	}
	var got struct{ ChangeCursor string }
	w.into(viewer.System, "{ changeCursor }", &got)
	return got.ChangeCursor
}

// hearsOne makes one change, and compares who hears of it with what the oracle says.
func (w *world) hearsOne(g guesser, read guess, at string) {
	person := func(i int, roles ...string) viewer.Viewer {
		return viewer.Viewer{ID: g.rows["Person"][i]["id"].(uuid.UUID), Role: viewer.User, Roles: viewer.NewRoles(roles...)}
	}
	viewers := []viewer.Viewer{{}, viewer.System, person(0), person(1), person(2, "AUDITOR"), person(3, "FINANCE", "AUDITOR"), stranger}
	start := w.hears()
	all := g.rows["Document"]
	n := g.IntN(len(all) + 1) // the last one is made
	var was, is row
	var before, after []bool
	if n < len(all) {
		was = all[n]
	}
	for _, v := range viewers {
		before = append(before, was != nil && read.holds(v, was))
	}
	what := w.changeDocument(g, n)
	if len(g.rows["Document"]) >= len(all) {
		is = g.rows["Document"][n]
	}
	end := w.hears()
	for i, v := range viewers {
		after = append(after, is != nil && read.holds(v, is))
		var got struct {
			Changes struct {
				Cursor  string
				Changes []struct {
					Kind, ID string
					Node     *struct{ ID string }
				}
			}
		}
		w.into(v, fmt.Sprintf("{ changes(after: %q) { cursor changes { kind id node { id } } } }", start), &got)
		heard, at := len(got.Changes.Changes) > 0, fmt.Sprintf("%s, %s, %s %s: shown before %t, after %t, got %+v", at, what, v.Role, v.ID, before[i], after[i], got.Changes)
		owns := was != nil && was["author_id"] == v.ID && (read.text == "owners" || read.owns && strings.HasPrefix(read.text, "any") && !strings.Contains(read.text, "all"))
		switch wants := after[i] || before[i] && (v.Role == viewer.Admin || owns); {
		case wants && !heard, heard && !before[i] && !after[i], len(got.Changes.Changes) > 1:
			w.Error(at)
		case got.Changes.Cursor != end && heard:
			w.Errorf("%s: the cursor is not the last one", at)
		case !heard:
		case got.Changes.Changes[0].ID != w.idOf(was, is), (got.Changes.Changes[0].Node != nil) != after[i], (got.Changes.Changes[0].Kind == "REMOVED") == after[i]:
			w.Error(at)
		}
	}
}

func (w *world) idOf(was, is row) string {
	if was == nil {
		was = is
	}
	return ids.ID{Prefix: "document", UUID: was["id"].(uuid.UUID)}.String()
}

// changeDocument changes the nth document, here and in the oracle: a random one, or it adds one.
func (w *world) changeDocument(g guesser, n int) string {
	ctx, c := privacy.DecisionContext(w.system, privacy.Allow), w.ent
	all := g.rows["Document"]
	to, by := g.rows["Project"][g.IntN(6)]["id"].(uuid.UUID), g.rows["Person"][g.IntN(4)]["id"].(uuid.UUID)
	if n == len(all) {
		made := c.Document.Create().SetTitle("x").SetProjectID(to).SetAuthorID(by).SaveX(ctx)
		g.rows["Document"] = append(all, row{"id": made.ID, "title": "x", "budget": 0, "project_id": to, "author_id": by})
		return "added"
	}
	update := c.Document.UpdateOneID(all[n]["id"].(uuid.UUID))
	switch what := g.IntN(5); {
	case what == 0:
		update.SetProjectID(to).SetTitle(uuid.NewString()).ExecX(ctx)
		all[n] = with(all[n], "project_id", to)
		return "moved"
	case what < 3:
		update.SetAuthorID(by).SetTitle(uuid.NewString()).ExecX(ctx)
		all[n] = with(all[n], "author_id", by)
		return "given"
	case what == 3 && len(all) > 8:
		c.Document.DeleteOneID(all[n]["id"].(uuid.UUID)).ExecX(ctx)
		g.rows["Document"] = slices.Delete(slices.Clone(all), n, n+1)
		return "removed"
	}
	update.SetTitle(uuid.NewString()).ExecX(ctx)
	return "spent"
}
