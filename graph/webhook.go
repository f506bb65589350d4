package graph

import (
	"context"

	"forge/ent"
	"forge/graph/model"
	"forge/internal/apperr"
	"forge/internal/gqlexec"
	"forge/internal/ids"
	"forge/internal/input"
	"forge/internal/viewer"
	"forge/internal/webhook"
)

// hooks returns the endpoints of webhooks. It returns FORBIDDEN if this server has none.
func (r *Resolver) hooks() (*webhook.Webhooks, error) {
	if r.Webhooks == nil {
		return nil, apperr.Forbidden("", "this server has no webhooks")
	}
	return r.Webhooks, nil
}

func (r *Resolver) webhooks(ctx context.Context) ([]*model.WebhookEndpoint, error) {
	w, err := r.hooks()
	if err != nil {
		return nil, err
	}
	rows, err := w.All(ctx)
	if err != nil {
		return nil, err
	}
	list := []*model.WebhookEndpoint{}
	for _, row := range rows {
		list = append(list, webhookOf(row))
	}
	return list, nil
}

func (r *Resolver) createWebhook(ctx context.Context, in model.CreateWebhookInput) (*ent.Webhook, error) {
	w, err := r.hooks()
	if err != nil {
		return nil, err
	}
	e := webhook.Endpoint{URL: in.URL, Document: in.Document, Variables: orEmpty(in.Variables.Value()), Secret: orEmpty(in.Secret.Value())}
	role, user := in.Role.Value(), in.UserID.Value()
	switch {
	case user != nil && role != nil:
		return nil, apperr.BadInput("input.role", "an endpoint acts as a user or with a role, and not both")
	case user != nil:
		if err := input.WantPrefix("input.userId", *user, "user"); err != nil {
			return nil, err
		}
		e.Account = &user.UUID
	case role != nil:
		e.Role, _ = viewer.ParseRole(role.String())
	}
	row, err := w.Create(ctx, e)
	return r.changedWebhook(ctx, row, err)
}

func (r *Resolver) updateWebhook(ctx context.Context, id ids.ID, in model.UpdateWebhookInput) (*ent.Webhook, error) {
	w, err := r.hooks()
	if err != nil {
		return nil, err
	}
	row, err := w.Update(ctx, id, webhook.Change{URL: in.URL.Value(), Enabled: in.Enabled.Value(), Secret: in.Secret.Value(), Rotate: in.RotateSecret})
	return r.changedWebhook(ctx, row, err)
}

func (r *Resolver) replayWebhook(ctx context.Context, id ids.ID, after *string) (*ent.Webhook, error) {
	w, err := r.hooks()
	if err != nil {
		return nil, err
	}
	row, err := w.Replay(ctx, id, orEmpty(after))
	return r.changedWebhook(ctx, row, err)
}

func (r *Resolver) deleteWebhook(ctx context.Context, id ids.ID) error {
	w, err := r.hooks()
	if err != nil {
		return err
	}
	_, err = r.changedWebhook(ctx, nil, w.Delete(ctx, id))
	return err
}

// changedWebhook has the server look at the endpoints after the commit, if there is no error.
func (r *Resolver) changedWebhook(ctx context.Context, row *ent.Webhook, err error) (*ent.Webhook, error) {
	if err == nil {
		gqlexec.AfterCommit(ctx, func(context.Context) { r.Webhooks.Changed() })
	}
	return row, err
}

// webhookOf returns an endpoint as the API shows it, without its secret.
func webhookOf(row *ent.Webhook) *model.WebhookEndpoint {
	m := &model.WebhookEndpoint{
		ID: row.GlobalID(), URL: row.URL, Document: row.Document, CreatedAt: row.CreatedAt, DeliveredAt: row.DeliveredAt,
		Failures: row.Failures, LastStatus: row.LastStatus, LastError: row.LastError, Cursor: row.Position,
		DisabledAt: row.DisabledAt, DisabledReason: row.DisabledReason,
	}
	if row.Variables != "" {
		m.Variables = &row.Variables
	}
	if row.Failures > 0 && row.DisabledAt == nil {
		m.NextAttemptAt = &row.DueAt
	}
	if row.UserID != nil {
		m.User = userOf(*row.UserID)
	} else {
		m.Role = new(model.WebhookRole(row.Role))
	}
	return m
}

// orEmpty returns a text, or "" for null.
func orEmpty(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
