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
		if got := w.outcome(c.as, c.do); got != c.want {
			w.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// outcome makes a change in a transaction, and takes it back. It returns how many rows changed, the
// code of an error, or another error.
func (w *world) outcome(as viewer.Viewer, do func(context.Context, *ent.Client) (int, error)) any {
	u := unit.New(w.db, unit.Write)
	defer u.Rollback()
	n, err := do(w.as(as), ent.UnitClient(u))
	if known, ok := errors.AsType[*apperr.Error](err); ok {
		return known.Code
	}
	if err != nil {
		return err
	}
	return n
}

// updated returns a change of a document.
func updated(of *ent.Document, set func(*ent.DocumentUpdate)) func(context.Context, *ent.Client) (int, error) {
	return func(ctx context.Context, c *ent.Client) (int, error) {
		change := c.Document.Update().Where(document.ID(of.ID))
		set(change)
		return change.Save(ctx)
	}
}

// added returns a change that adds a document.
func added(set func(*ent.DocumentCreate)) func(context.Context, *ent.Client) (int, error) {
	return func(ctx context.Context, c *ent.Client) (int, error) {
		create := c.Document.Create().SetTitle("new")
		set(create)
		return saved(create.Save(ctx))
	}
}

// removed returns a change that removes a document.
func removed(of *ent.Document) func(context.Context, *ent.Client) (int, error) {
	return func(ctx context.Context, c *ent.Client) (int, error) {
		return c.Document.Delete().Where(document.ID(of.ID)).Exec(ctx)
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
			return updated(of, func(u *ent.DocumentUpdate) { u.SetTitle("new") })
		}
		move := func(of *ent.Document, to uuid.UUID) func(context.Context, *ent.Client) (int, error) {
			return updated(of, func(u *ent.DocumentUpdate) { u.SetProjectID(to) })
		}
		w.try([]change{
			{"nobody updates", viewer.Viewer{}, retitle(d.plan), apperr.CodeUnauthenticated},
			{"an editor updates", ada, retitle(d.plan), 1},
			{"a reader updates", bob, retitle(d.plan), 0},
			{"an owner updates", eve, retitle(d.diary), 1},
			{"an administrator updates", viewer.System, retitle(d.memo), 1},
			{"an auditor updates", user(d.dora, "AUDITOR"), retitle(d.plan), 0},
			{"an editor moves the document away, and still owns it", ada, move(d.plan, d.other.ID), 1},
			{"an editor gives the document away, and still edits the project", ada, updated(d.plan, func(u *ent.DocumentUpdate) { u.SetAuthorID(d.eve.ID) }), 1},
			{"both", ada, updated(d.plan, func(u *ent.DocumentUpdate) { u.SetAuthorID(d.eve.ID).SetProjectID(d.other.ID) }), apperr.CodeForbidden},
			{"an owner gives the document away", eve, updated(d.diary, func(u *ent.DocumentUpdate) { u.SetAuthorID(d.ada.ID) }), apperr.CodeForbidden},
			{"an owner gives the document to nobody", eve, updated(d.diary, func(u *ent.DocumentUpdate) { u.ClearAuthorID() }), apperr.CodeForbidden},
			{"an owner moves the document", eve, move(d.diary, d.apollo.ID), 1},
			{"an owner adds", eve, added(func(*ent.DocumentCreate) {}), 1},
			{"for another", eve, added(func(c *ent.DocumentCreate) { c.SetAuthorID(d.ada.ID) }), apperr.CodeForbidden},
			{"an editor adds for another", ada, added(func(c *ent.DocumentCreate) { c.SetAuthorID(d.eve.ID).SetProjectID(d.apollo.ID) }), 1},
			{"a reader adds for another", bob, added(func(c *ent.DocumentCreate) { c.SetAuthorID(d.eve.ID).SetProjectID(d.apollo.ID) }), apperr.CodeForbidden},
			{"an editor adds for another elsewhere", ada, added(func(c *ent.DocumentCreate) { c.SetAuthorID(d.eve.ID).SetProjectID(d.other.ID) }), apperr.CodeForbidden},
			{"one who left adds for another", user(d.cleo), added(func(c *ent.DocumentCreate) { c.SetAuthorID(d.eve.ID).SetProjectID(d.apollo.ID) }), apperr.CodeForbidden},
			{"nobody adds", viewer.Viewer{}, added(func(*ent.DocumentCreate) {}), apperr.CodeUnauthenticated},
			{"an owner who is an editor removes", ada, removed(d.plan), 1},
			{"an owner who is none removes", eve, removed(d.diary), 0},
			{"a watcher removes", dora, removed(d.plan), 0},
			{"an owner sets a budget", eve, updated(d.diary, func(u *ent.DocumentUpdate) { u.SetBudget(9) }), apperr.CodeForbidden},
			{"an owner of finance sets a budget", user(d.eve, "FINANCE"), updated(d.diary, func(u *ent.DocumentUpdate) { u.SetBudget(9) }), 1},
			{"another of finance sets a budget", user(d.dora, "FINANCE"), updated(d.diary, func(u *ent.DocumentUpdate) { u.SetBudget(9) }), 0},
			{"an administrator sets a budget", viewer.System, updated(d.diary, func(u *ent.DocumentUpdate) { u.SetBudget(9) }), 1},
			{"an owner adds with a budget", eve, added(func(c *ent.DocumentCreate) { c.SetBudget(9) }), apperr.CodeForbidden},
			{"an editor sets notes", ada, updated(d.plan, func(u *ent.DocumentUpdate) { u.SetNotes("done") }), 1},
			{"an editor clears notes", ada, updated(d.plan, func(u *ent.DocumentUpdate) { u.ClearNotes() }), 1},
			{"an owner who is no editor sets notes", eve, updated(d.diary, func(u *ent.DocumentUpdate) { u.SetNotes("mine") }), apperr.CodeForbidden},
			{"an owner who is no editor adds with notes", eve, added(func(c *ent.DocumentCreate) { c.SetNotes("mine") }), apperr.CodeForbidden},
			{"an editor adds with notes", ada, added(func(c *ent.DocumentCreate) { c.SetNotes("x").SetProjectID(d.apollo.ID) }), 1},
		})
		u := unit.New(w.db, unit.Write)
		defer u.Rollback()
		if made := ent.UnitClient(u).Document.Create().SetTitle("mine").SaveX(w.as(eve)); made.AuthorID == nil || *made.AuthorID != d.eve.ID {
			w.Errorf("the owner of a new document is %v, want Eve", made.AuthorID)
		}
	})
}
