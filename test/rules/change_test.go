package rules

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"

	"forge/internal/apperr"
	"forge/internal/unit"
	"forge/internal/viewer"
	"forge/test/rules/ent"
	"forge/test/rules/ent/document"
)

// change is a change of a document, and what comes of it: how many rows changed, or a code.
type change struct {
	name string
	as   viewer.Viewer
	do   func(context.Context, *ent.Client) (int, error)
	want any
}

// try makes each change in a transaction of its own, and takes it back.
func (w *world) try(changes []change) {
	w.Helper()
	for _, c := range changes {
		u := unit.New(w.db, unit.Write)
		n, err := c.do(w.as(c.as), ent.UnitClient(u))
		var got any = n
		if err != nil {
			got = err
			if known, ok := errors.AsType[*apperr.Error](err); ok {
				got = known.Code
			}
		}
		if got != c.want {
			w.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		u.Rollback()
	}
}

// saved returns what a create comes to.
func saved(_ any, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	return 1, nil
}

// TestMembersChange changes documents as members of the team that has their project, and as owners:
// also to what they may not change any more.
func TestMembersChange(t *testing.T) {
	each(t, func(w *world) {
		d := newTeam(w)
		ada, bob, dora, eve := user(d.ada), user(d.bob), user(d.dora), user(d.eve)
		retitle := func(of *ent.Document) func(context.Context, *ent.Client) (int, error) {
			return func(ctx context.Context, c *ent.Client) (int, error) {
				return c.Document.Update().Where(document.ID(of.ID)).SetTitle("new").Save(ctx)
			}
		}
		move := func(of *ent.Document, to uuid.UUID) func(context.Context, *ent.Client) (int, error) {
			return func(ctx context.Context, c *ent.Client) (int, error) {
				return c.Document.Update().Where(document.ID(of.ID)).SetProjectID(to).Save(ctx)
			}
		}
		update := func(of *ent.Document, set func(*ent.DocumentUpdate)) func(context.Context, *ent.Client) (int, error) {
			return func(ctx context.Context, c *ent.Client) (int, error) {
				change := c.Document.Update().Where(document.ID(of.ID))
				set(change)
				return change.Save(ctx)
			}
		}
		add := func(set func(*ent.DocumentCreate)) func(context.Context, *ent.Client) (int, error) {
			return func(ctx context.Context, c *ent.Client) (int, error) {
				create := c.Document.Create().SetTitle("new")
				set(create)
				return saved(create.Save(ctx))
			}
		}
		remove := func(of *ent.Document) func(context.Context, *ent.Client) (int, error) {
			return func(ctx context.Context, c *ent.Client) (int, error) {
				return c.Document.Delete().Where(document.ID(of.ID)).Exec(ctx)
			}
		}
		w.try([]change{
			{"nobody updates", viewer.Viewer{}, retitle(d.plan), apperr.CodeUnauthenticated},
			{"an editor updates", ada, retitle(d.plan), 1},
			{"a reader updates", bob, retitle(d.plan), 0},
			{"an owner updates", eve, retitle(d.diary), 1},
			{"an administrator updates", viewer.System, retitle(d.memo), 1},
			{"an auditor updates", user(d.dora, "AUDITOR"), retitle(d.plan), 0},
			{"an editor moves the document away, and still owns it", ada, move(d.plan, d.other.ID), 1},
			{"an editor gives the document away, and still edits the project", ada, update(d.plan, func(u *ent.DocumentUpdate) { u.SetAuthorID(d.eve.ID) }), 1},
			{"both", ada, update(d.plan, func(u *ent.DocumentUpdate) { u.SetAuthorID(d.eve.ID).SetProjectID(d.other.ID) }), apperr.CodeForbidden},
			{"an owner gives the document away", eve, update(d.diary, func(u *ent.DocumentUpdate) { u.SetAuthorID(d.ada.ID) }), apperr.CodeForbidden},
			{"an owner gives the document to nobody", eve, update(d.diary, func(u *ent.DocumentUpdate) { u.ClearAuthorID() }), apperr.CodeForbidden},
			{"an owner moves the document", eve, move(d.diary, d.apollo.ID), 1},
			{"an owner adds", eve, add(func(*ent.DocumentCreate) {}), 1},
			{"for another", eve, add(func(c *ent.DocumentCreate) { c.SetAuthorID(d.ada.ID) }), apperr.CodeForbidden},
			{"an editor adds for another", ada, add(func(c *ent.DocumentCreate) { c.SetAuthorID(d.eve.ID).SetProjectID(d.apollo.ID) }), 1},
			{"a reader adds for another", bob, add(func(c *ent.DocumentCreate) { c.SetAuthorID(d.eve.ID).SetProjectID(d.apollo.ID) }), apperr.CodeForbidden},
			{"an editor adds for another elsewhere", ada, add(func(c *ent.DocumentCreate) { c.SetAuthorID(d.eve.ID).SetProjectID(d.other.ID) }), apperr.CodeForbidden},
			{"one who left adds for another", user(d.cleo), add(func(c *ent.DocumentCreate) { c.SetAuthorID(d.eve.ID).SetProjectID(d.apollo.ID) }), apperr.CodeForbidden},
			{"nobody adds", viewer.Viewer{}, add(func(*ent.DocumentCreate) {}), apperr.CodeUnauthenticated},
			{"an owner who is an editor removes", ada, remove(d.plan), 1},
			{"an owner who is none removes", eve, remove(d.diary), 0},
			{"a watcher removes", dora, remove(d.plan), 0},
			{"an owner sets a budget", eve, update(d.diary, func(u *ent.DocumentUpdate) { u.SetBudget(9) }), apperr.CodeForbidden},
			{"an owner of finance sets a budget", user(d.eve, "FINANCE"), update(d.diary, func(u *ent.DocumentUpdate) { u.SetBudget(9) }), 1},
			{"another of finance sets a budget", user(d.dora, "FINANCE"), update(d.diary, func(u *ent.DocumentUpdate) { u.SetBudget(9) }), 0},
			{"an administrator sets a budget", viewer.System, update(d.diary, func(u *ent.DocumentUpdate) { u.SetBudget(9) }), 1},
			{"an owner adds with a budget", eve, add(func(c *ent.DocumentCreate) { c.SetBudget(9) }), apperr.CodeForbidden},
			{"an editor sets notes", ada, update(d.plan, func(u *ent.DocumentUpdate) { u.SetNotes("done") }), 1},
			{"an editor clears notes", ada, update(d.plan, func(u *ent.DocumentUpdate) { u.ClearNotes() }), 1},
			{"an owner who is no editor sets notes", eve, update(d.diary, func(u *ent.DocumentUpdate) { u.SetNotes("mine") }), apperr.CodeForbidden},
			{"an owner who is no editor adds with notes", eve, add(func(c *ent.DocumentCreate) { c.SetNotes("mine") }), apperr.CodeForbidden},
			{"an editor adds with notes", ada, add(func(c *ent.DocumentCreate) { c.SetNotes("x").SetProjectID(d.apollo.ID) }), 1},
		})
		u := unit.New(w.db, unit.Write)
		defer u.Rollback()
		if made := ent.UnitClient(u).Document.Create().SetTitle("mine").SaveX(w.as(eve)); made.AuthorID == nil || *made.AuthorID != d.eve.ID {
			w.Errorf("the owner of a new document is %v, want Eve", made.AuthorID)
		}
	})
}
