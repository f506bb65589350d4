package gqlexec

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"forge/internal/apperr"
	"forge/internal/idempotency"
	"forge/internal/session"
	"forge/internal/viewer"
)

// Access says who may call a root field, and in which way. The rows that callers may see and
// change are the matter of policies in ent/schema.
type Access struct {
	// Role is the least that may call the field.
	Role viewer.Role
	// Credentials marks a field that takes a password or a refresh token and returns secrets. It
	// stands alone: it must be the only root field of its operation, or one operation could try
	// many passwords. Its answer is never stored under an idempotency key. Its resolver may change
	// the viewer of the rest of the answer (viewer.Become).
	Credentials bool
	// Prepare, if it is set, does work that takes long and no connection, such as hashing. It is
	// called with the arguments of the field before the first statement of the operation, and once
	// however often the operation is attempted. Prepared returns its results to the resolver. It is
	// not called for viewers who may not call the field.
	Prepare func(ctx context.Context, arguments map[string]any) (any, error)
}

// authorize is a root field middleware. In the place of a field that the viewer may not call it
// answers null and an error, without a look at the arguments. If the field must not be null, the
// answer has no data: gqlgen does not see to that where a middleware of a query answers null.
func (a API) authorize(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	field := graphql.GetRootFieldContext(ctx).Field
	if err := a.mayCall(ctx, field.ObjectDefinition.Name, field.Name); err != nil {
		graphql.AddError(graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: field.ObjectDefinition.Name, Field: field}), err)
		if field.Definition.Type.NonNull {
			ctx.Value(attemptKey{}).(*attempt).withoutData.Store(true)
		}
		return graphql.Null
	}
	return next(ctx)
}

// openToAll reports whether everybody may call the field of Query.
func (a API) openToAll(field string) bool {
	access, declared := a.Access["Query."+field]
	return declared && access.Role == viewer.Anonymous
}

// mayCall returns nil if the viewer may call the field of the root type. Otherwise it returns
// UNAUTHENTICATED if signing in could help, or else FORBIDDEN.
func (a API) mayCall(ctx context.Context, object, name string) error {
	if name == "__typename" || name == "__schema" || name == "__type" {
		return nil // whether they are answered at all does not depend on the viewer
	}
	role := viewer.RoleOf(ctx)
	switch access, declared := a.Access[object+"."+name]; {
	case !declared:
		return apperr.Forbidden("", "%s is closed: nothing says who may call it", name)
	case role >= access.Role:
		return nil
	case role == viewer.Anonymous:
		return apperr.Unauthenticated()
	default:
		return apperr.Forbidden("", "only an administrator may call %s", name)
	}
}

// switchViewer is a root field middleware that lets a field with credentials change the viewer.
func (a API) switchViewer(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	if isMutation(ctx) && a.Access["Mutation."+graphql.GetRootFieldContext(ctx).Field.Name].Credentials {
		ctx = viewer.Switchable(ctx)
	}
	return next(ctx)
}

// checkMutation checks a mutation before it stores anything. It returns an error if the viewer's
// token was revoked: the list of revoked tokens in memory may be a second old.
func (a *attempt) checkMutation(ctx context.Context) error {
	takesCredentials, err := a.checkCredentials()
	if err != nil || takesCredentials {
		return err
	}
	if v := viewer.FromContext(ctx); v.ID != uuid.Nil && !v.Stranger {
		return session.Check(ctx, a.db, a.api.Accounts, v)
	}
	return nil
}

// checkCredentials reports whether a root field of the mutation takes credentials. It returns an
// error if such a field has company, or an idempotency key.
func (a *attempt) checkCredentials() (bool, error) {
	name, fields := "", 0
	for _, root := range a.operation.RootFields() {
		if root.Name != "__typename" {
			fields++
		}
		if a.api.Access["Mutation."+root.Name].Credentials {
			name = root.Name
		}
	}
	switch {
	case name == "":
		return false, nil
	case fields > 1:
		return true, apperr.BadInput(name, "%s stands alone in its operation: it is the only root field", name)
	case a.op.Headers.Get(idempotency.Header) != "":
		return true, apperr.BadInput(idempotency.Header, "%s takes no %s: its answer is not kept", name, idempotency.Header)
	}
	return true, nil
}

// preparations are the results of Access.Prepare by the response keys of the root fields.
type preparations map[string]preparation

type preparation struct {
	value any
	err   error
}

// prepare calls Access.Prepare for the root fields that have it, in the order of the operation.
// Further attempts take the results of the first one. It stops at the first error, which the
// resolver gets: the fields after it are not run.
func (a *attempt) prepare(ctx context.Context) {
	if a.prepared != nil {
		return
	}
	for _, root := range a.operation.RootFields() {
		prepare := a.api.Access["Mutation."+root.Name].Prepare
		if prepare == nil || a.api.mayCall(ctx, "Mutation", root.Name) != nil {
			continue
		}
		value, err := prepare(ctx, root.ArgumentMap(a.op.Variables))
		if a.prepared == nil {
			a.prepared = preparations{}
		}
		a.prepared[root.Alias] = preparation{value, err}
		if err != nil {
			return
		}
	}
}

// Prepared returns the results of Access.Prepare for the root field of ctx, nil if it has none.
func Prepared(ctx context.Context) (any, error) {
	p := ctx.Value(attemptKey{}).(*attempt).prepared[graphql.GetRootFieldContext(ctx).Field.Alias]
	return p.value, p.err
}
