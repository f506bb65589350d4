package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"forge/ent"
	entwebhook "forge/ent/webhook"
	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/ids"
	"forge/internal/input"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// Endpoint describes a new endpoint.
type Endpoint struct {
	URL, Document string
	Variables     string // JSON; "" for none
	// Account is the account that the endpoint acts as. Without one, it acts as Role, which is
	// viewer.Anonymous or viewer.Admin.
	Account *uuid.UUID
	Role    viewer.Role
	Secret  string // "" has one made
}

// Create stores an endpoint, in the unit of work of ctx, and returns it with its secret. Changes
// from now on are delivered. It must be called before any other statement of the unit. The error is
// BAD_USER_INPUT if something is not allowed.
func (w *Webhooks) Create(ctx context.Context, e Endpoint) (*ent.Webhook, error) {
	if err := w.open(); err != nil {
		return nil, err
	}
	if e.Secret == "" {
		e.Secret = newSecret()
	}
	if err := CheckSecret("input.secret", e.Secret); err != nil {
		return nil, err
	}
	if err := checkURL(e.URL, w.Private); err != nil {
		return nil, err
	}
	row := &ent.Webhook{Document: e.Document, Variables: e.Variables, Role: e.Role.String(), UserID: e.Account}
	if e.Account == nil && e.Role == viewer.User {
		return nil, apperr.BadInput("input.role", "%s means some user; name the user, or allow %s or %s", viewer.User, viewer.Anonymous, viewer.Admin)
	}
	start, err := w.start(ctx, row, "")
	if err != nil {
		return nil, err
	}
	now, err := unit.FromContext(ctx).Now(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the database's clock: %w", err)
	}
	row, err = ent.FromUnit(ctx).Webhook.Create().SetURL(e.URL).SetDocument(e.Document).SetVariables(e.Variables).SetRole(row.Role).
		SetNillableUserID(e.Account).SetSecret(e.Secret).SetPosition(start).SetDueAt(now).Save(system(ctx))
	if err != nil {
		return nil, fmt.Errorf("store an endpoint: %w", err)
	}
	return row, nil
}

// Change says what to change of an endpoint. What is nil or false stays.
type Change struct {
	URL     *string
	Enabled *bool
	Secret  *string // replaces the secret
	Rotate  bool    // has another secret made
}

// Update changes an endpoint, in the unit of work of ctx. For a day, deliveries are signed with the
// secret that was replaced as well. The error is NOT_FOUND or BAD_USER_INPUT.
func (w *Webhooks) Update(ctx context.Context, id ids.ID, c Change) (*ent.Webhook, error) {
	row, now, err := find(ctx, id)
	if err != nil {
		return nil, err
	}
	update := unleased(ent.FromUnit(ctx).Webhook.UpdateOne(row))
	if c.URL != nil {
		if err := checkURL(*c.URL, w.Private); err != nil {
			return nil, err
		}
		update.SetURL(*c.URL)
	}
	if c.Rotate && c.Secret == nil {
		c.Secret = new(newSecret())
	}
	if c.Secret != nil {
		if err := CheckSecret("input.secret", *c.Secret); err != nil {
			return nil, err
		}
		update.SetPreviousSecret(row.Secret).SetPreviousUntil(now.Add(rotation)).SetSecret(*c.Secret)
	}
	switch {
	case c.Enabled != nil && *c.Enabled:
		enabled(update, now)
	case c.Enabled != nil && row.DisabledAt == nil:
		update.SetDisabledAt(now).SetDisabledReason("an administrator has disabled it")
	}
	return saved(update.Save(system(ctx)))
}

// Now stands for the end of the log in the place of a cursor.
const Now = "now"

// Replay enables an endpoint, in the unit of work of ctx, and has it go on after a cursor: where it
// stands if the cursor is "", and with changes from now on if it is Now. It must be called before
// any other statement of the unit. The error is NOT_FOUND or BAD_USER_INPUT.
func (w *Webhooks) Replay(ctx context.Context, id ids.ID, after string) (*ent.Webhook, error) {
	if err := w.open(); err != nil {
		return nil, err
	}
	if after != "" {
		var err error
		if after, err = w.startOf(ctx, id, after); err != nil {
			return nil, err
		}
	}
	row, now, err := find(ctx, id)
	if err != nil {
		return nil, err
	}
	update := enabled(unleased(ent.FromUnit(ctx).Webhook.UpdateOne(row)), now)
	if after != "" {
		update.SetPosition(after)
	}
	return saved(update.Save(system(ctx)))
}

// startOf returns the cursor from which an endpoint can be replayed. It uses a unit of work of its
// own.
func (w *Webhooks) startOf(ctx context.Context, id ids.ID, after string) (string, error) {
	u := unit.New(w.DB, unit.Single)
	defer u.Rollback()
	row, _, err := find(unit.NewContext(ctx, u), id)
	if err != nil {
		return "", err
	}
	u.Rollback()
	if after == Now {
		after = ""
	}
	return w.start(ctx, row, after)
}

// unleased takes an endpoint from the server that delivers to it now. That server does not move the
// position any more.
func unleased(update *ent.WebhookUpdateOne) *ent.WebhookUpdateOne {
	return update.ClearLease().ClearLeasedUntil()
}

func enabled(update *ent.WebhookUpdateOne, now time.Time) *ent.WebhookUpdateOne {
	return update.SetDueAt(now).SetFailures(0).ClearFailingSince().ClearDisabledAt().ClearDisabledReason()
}

func saved(row *ent.Webhook, err error) (*ent.Webhook, error) {
	if err != nil {
		return nil, fmt.Errorf("change an endpoint: %w", err)
	}
	return row, nil
}

// Delete removes an endpoint, in the unit of work of ctx. The error is NOT_FOUND if there is none.
func (w *Webhooks) Delete(ctx context.Context, id ids.ID) error {
	if err := checkID(id); err != nil {
		return err
	}
	n, err := ent.FromUnit(ctx).Webhook.Delete().Where(entwebhook.ID(id.UUID)).Exec(system(ctx))
	if err != nil {
		return fmt.Errorf("remove an endpoint: %w", err)
	}
	if n == 0 {
		return apperr.NotFound(id)
	}
	return nil
}

// All returns all endpoints, the oldest first, in the unit of work of ctx.
func (w *Webhooks) All(ctx context.Context) ([]*ent.Webhook, error) {
	rows, err := ent.FromUnit(ctx).Webhook.Query().Order(entwebhook.ByID()).All(system(ctx))
	if err != nil {
		return nil, fmt.Errorf("list the endpoints: %w", err)
	}
	return rows, nil
}

// Changed has this server look at the list of endpoints at once. It is called after a commit.
func (w *Webhooks) Changed() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// checkID returns BAD_USER_INPUT if the ID is not one of an endpoint.
func checkID(id ids.ID) error {
	if err := input.WantPrefix("id", id, (&ent.Webhook{}).GlobalID().Prefix); err != nil {
		return err
	}
	return nil
}

// find returns an endpoint, and the time of the database's clock, in the unit of work of ctx.
func find(ctx context.Context, id ids.ID) (*ent.Webhook, time.Time, error) {
	if err := checkID(id); err != nil {
		return nil, time.Time{}, err
	}
	now, err := unit.FromContext(ctx).Now(ctx)
	if err != nil {
		return nil, now, fmt.Errorf("read the database's clock: %w", err)
	}
	row, err := ent.FromUnit(ctx).Webhook.Get(system(ctx), id.UUID)
	if ent.IsNotFound(err) {
		return nil, now, apperr.NotFound(id)
	}
	if err != nil {
		return nil, now, fmt.Errorf("read an endpoint: %w", err)
	}
	return row, now, nil
}

// start checks the subscription of an endpoint, and returns the cursor that it starts at.
func (w *Webhooks) start(ctx context.Context, row *ent.Webhook, after string) (cursor string, err error) {
	v, err := w.viewer(ctx, row)
	if err != nil {
		return "", err
	}
	params, err := params(row)
	if err != nil {
		return "", err
	}
	return w.executor.Start(viewer.NewContext(ctx, v), params, after)
}

// params returns the operation of an endpoint. It returns BAD_USER_INPUT if the variables are not a
// JSON object.
func params(row *ent.Webhook) (*graphql.RawParams, error) {
	p := &graphql.RawParams{Query: row.Document}
	if row.Variables == "" {
		return p, nil
	}
	if err := json.Unmarshal([]byte(row.Variables), &p.Variables); err != nil {
		return nil, apperr.BadInput("input.variables", "the variables are not a JSON object")
	}
	return p, nil
}

// viewer returns whom an endpoint acts as: a user with the role that the account has now, or a role
// without a user. It returns BAD_USER_INPUT if the account may not sign in. It uses a unit of work
// of its own.
func (w *Webhooks) viewer(ctx context.Context, row *ent.Webhook) (viewer.Viewer, error) {
	if row.UserID == nil {
		role, ok := viewer.ParseRole(row.Role)
		if !ok {
			role = viewer.Anonymous
		}
		return viewer.Viewer{Role: role}, nil
	}
	u := unit.New(w.DB, unit.Single)
	defer u.Rollback()
	a, err := w.Accounts.Find(system(unit.NewContext(ctx, u)), *row.UserID)
	switch {
	case err != nil:
		return viewer.Viewer{}, fmt.Errorf("look for the account of an endpoint: %w", err)
	case a == nil || !a.Active:
		return viewer.Viewer{}, apperr.BadInput("input.userId", "there is no such account that may sign in")
	}
	return viewer.Viewer{ID: a.ID, Role: a.Role}, nil
}

func system(ctx context.Context) context.Context { return viewer.NewContext(ctx, viewer.System) }

// Account returns the ID of the account that a login means, in a unit of work of its own. The error
// is BAD_USER_INPUT if there is none.
func (w *Webhooks) Account(ctx context.Context, login string) (uuid.UUID, error) {
	u := unit.New(w.DB, unit.Single)
	defer u.Rollback()
	a, err := w.Accounts.FindLogin(system(unit.NewContext(ctx, u)), login)
	if err != nil {
		return uuid.Nil, fmt.Errorf("look for an account: %w", err)
	}
	if a == nil {
		return uuid.Nil, apperr.BadInput("input.userId", "there is no user %q", login)
	}
	return a.ID, nil
}

// Count returns how many endpoints a database has, and how many of these fail or are disabled.
func Count(ctx context.Context, db *database.DB) (all, failing, disabled int, err error) {
	rows, err := states(ctx, db)
	for _, row := range rows {
		switch {
		case row.DisabledAt != nil:
			disabled++
		case row.FailingSince != nil:
			failing++
		}
	}
	return len(rows), failing, disabled, err
}

// states returns all endpoints, without all that it takes to deliver to them.
func states(ctx context.Context, db *database.DB) ([]*ent.Webhook, error) {
	u := unit.New(db, unit.Single)
	defer u.Rollback()
	ctx = unit.NewContext(ctx, u)
	return ent.FromUnit(ctx).Webhook.Query().
		Select(entwebhook.FieldID, entwebhook.FieldDueAt, entwebhook.FieldFailingSince, entwebhook.FieldDisabledAt).All(system(ctx))
}
