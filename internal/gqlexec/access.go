package gqlexec

import (
	"context"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/apperr"
	"forge/internal/idempotency"
	"forge/internal/session"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// Access says who may call a root field, and how. Which rows a caller may see and change is up to
// the policies in ent/schema.
type Access struct {
	// Role is the lowest role that may call the field.
	Role viewer.Role
	// Roles are roles of the application's own. If there are any, a viewer needs one of them,
	// unless they are an administrator.
	Roles []string
	// Credentials marks a field that takes a password or a refresh token and returns secrets. The
	// field must be the only root field of its operation, because otherwise one operation could try
	// many passwords. The answer is never stored under an idempotency key. The resolver may change
	// the viewer for the rest of the answer (viewer.Become).
	Credentials bool
	// Prepare does work that takes long and needs no database connection, such as hashing. It may
	// be nil. Prepare is called with the arguments of the field, before the first statement of the
	// operation. It is called once, however often the operation is attempted, and not for viewers
	// who may not call the field. The resolver gets the results from Prepared.
	Prepare func(ctx context.Context, arguments map[string]any) (any, error)
}

// authorize is a root field middleware. If the viewer may not call the field, it answers null and
// reports an error, without reading the arguments. If the field must not be null, the answer has no
// data. gqlgen does not ensure this itself if a middleware of a query answers null.
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

// openToAll reports whether everybody may call a field of Query.
func (a API) openToAll(field string) bool {
	access, declared := a.Access["Query."+field]
	return declared && access.admits(context.Background())
}

// admits reports whether the viewer may call the field.
func (a Access) admits(ctx context.Context) bool {
	role := viewer.RoleOf(ctx)
	return role >= a.Role && (len(a.Roles) == 0 || role == viewer.Admin || slices.ContainsFunc(a.Roles, func(name string) bool { return viewer.Holds(ctx, name) }))
}

// mayCall returns nil if the viewer may call the field of the root type. Otherwise it returns
// UNAUTHENTICATED if the viewer has not signed in. It returns FORBIDDEN if the viewer's role is too
// low, or if no access is declared for the field.
func (a API) mayCall(ctx context.Context, object, name string) error {
	if name == "__typename" || name == "__schema" || name == "__type" {
		return nil // the viewer makes no difference to whether introspection is answered
	}
	role := viewer.RoleOf(ctx)
	switch access, declared := a.Access[object+"."+name]; {
	case !declared:
		return apperr.Forbidden("", "%s is closed: nothing says who may call it", name)
	case access.admits(ctx):
		return nil
	case role == viewer.Anonymous:
		return apperr.Unauthenticated()
	case role >= access.Role:
		return apperr.Forbidden("", "only an administrator, or somebody with the role %s, may call %s", strings.Join(access.Roles, " or "), name)
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
// token was revoked. The database is asked, because the list of revoked tokens in memory may be a
// second old.
func (a *attempt) checkMutation(ctx context.Context) error {
	takesCredentials, err := a.checkCredentials()
	if err != nil || takesCredentials && !a.forAdmins() {
		return err
	}
	if v := viewer.FromContext(ctx); v.ID != uuid.Nil && !v.Stranger {
		// A database that cannot be reached here counts as it does for the unit's own statements:
		// the operation is attempted again.
		return a.unit.AddCost(unit.Cost{}, session.Check(ctx, a.db, a.api.Accounts, v))
	}
	return nil
}

// forAdmins reports whether only administrators may call a root field of the mutation.
func (a *attempt) forAdmins() bool {
	return slices.ContainsFunc(a.operation.RootFields(), func(f *ast.Field) bool { return a.api.Access["Mutation."+f.Name].Role == viewer.Admin })
}

// checkCredentials reports whether a root field of the mutation takes credentials. It returns an
// error if the mutation has another root field beside such a field, or an idempotency key.
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

// preparations holds the results of Access.Prepare by the response keys of the root fields.
type preparations map[string]preparation

type preparation struct {
	value any
	err   error
}

// prepare calls Access.Prepare for the root fields that have it, in the order of the operation.
// Further attempts use the results of the first. prepare stops at the first error, which the
// field's resolver gets. The root fields after that one are not run.
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

// Prepared returns the results of Access.Prepare for the root field of ctx. It returns nil if the
// field has no Prepare.
func Prepared(ctx context.Context) (any, error) {
	p := ctx.Value(attemptKey{}).(*attempt).prepared[graphql.GetRootFieldContext(ctx).Field.Alias]
	return p.value, p.err
}
