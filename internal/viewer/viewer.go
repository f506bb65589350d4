// Package viewer holds the user that a request comes from. The context carries the viewer, and all
// code that depends on the viewer asks the context.
package viewer

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"forge/internal/ids"
)

// Role says what a viewer may do. The zero value is Anonymous.
type Role uint8

// These are the roles. Each may do everything that the roles before it may do.
const (
	Anonymous Role = iota
	User
	Admin
)

// roleNames holds the name of each role.
var roleNames = [...]string{Anonymous: "ANONYMOUS", User: "USER", Admin: "ADMIN"}

// RoleNames returns the names of the roles that an account may have, the lowest role first. The
// database and tokens store these names, and the API shows them.
func RoleNames() []string { return slices.Clone(roleNames[User:]) }

// String returns the name of the role.
func (r Role) String() string { return roleNames[r] }

// ParseRole returns the role with one of the RoleNames, in upper or lower case. For any other name
// it returns Anonymous and false.
func ParseRole(name string) (Role, bool) {
	for role := User; role <= Admin; role++ {
		if strings.EqualFold(name, role.String()) {
			return role, true
		}
	}
	return Anonymous, false
}

// Viewer is the user that a request comes from. The zero value is anonymous.
type Viewer struct {
	ID     uuid.UUID // the user's ID; zero if there is no user
	Role   Role
	Issued time.Time // when the viewer's token was issued; zero if there is no token
	// Session identifies the session that the viewer's token belongs to. It is zero if the token
	// does not say so, as one of a provider.
	Session uuid.UUID
	// Stranger says that only the identity provider knows the user. The ID was made for this user,
	// and no row of the database has it.
	Stranger bool
	Roles    Roles  // roles of the application's own
	Tenant   string // what the token says of the tenant, as TenantArgument reads it; "" if nothing
}

// System is the viewer of work that Forge does by itself: it adds rows, removes expired rows, or
// changes rows that the request's own viewer may not change directly. With AUTH=off every request
// has this viewer.
var System = Viewer{Role: Admin}

// These are the keys of the context's values. Role and ID have keys of their own, because the text
// of a statement depends on the role, but has the ID only as an argument (see WithArguments).
type (
	roleKey   struct{}
	idKey     struct{}
	holdsKey  string                // whether the viewer has the role of the application's own
	tenantKey struct{ as ids.Form } // the tenant's key
	hasTenant struct{}              // whether the viewer has a tenant
	tenantIs  struct{ as ids.Form } // whether the tenant's key is of the form
	viewerKey struct{}              // the whole Viewer
	changeKey struct{}              // the viewer of a Switchable context
)

// viewing is a context with a viewer.
type viewing struct {
	context.Context
	viewer     *Viewer
	switchable bool
}

// Value returns the viewer, or the part that the key stands for. For other keys it returns the
// parent context's value.
func (c viewing) Value(key any) any {
	switch key := key.(type) {
	case roleKey:
		return c.viewer.Role
	case idKey:
		return c.viewer.ID
	case holdsKey:
		return c.viewer.Roles.Has(string(key))
	case tenantKey:
		return c.viewer.TenantOf(key.as)
	case hasTenant:
		return c.viewer.Tenant != ""
	case tenantIs:
		return c.viewer.TenantOf(key.as) != nil
	case viewerKey:
		return c.viewer
	case changeKey:
		if c.switchable {
			return c.viewer
		}
	}
	return c.Context.Value(key)
}

// NewContext returns a context whose viewer is v.
func NewContext(ctx context.Context, v Viewer) context.Context {
	return viewing{ctx, &v, false}
}

// Switchable returns a context with the viewer of ctx. Become can change the viewer of the returned
// context and of all contexts derived from it.
func Switchable(ctx context.Context) context.Context {
	v := FromContext(ctx)
	return viewing{ctx, &v, true}
}

// Become makes v the viewer of the innermost Switchable context that ctx is derived from. So users
// who sign in see the rest of the response as themselves. Become must not be called while another
// goroutine uses the Switchable context. If there is none, Become does nothing.
func Become(ctx context.Context, v Viewer) {
	if now, ok := ctx.Value(changeKey{}).(*Viewer); ok {
		*now = v
	}
}

// FromContext returns the viewer of a context, or an anonymous one if the context has none.
func FromContext(ctx context.Context) Viewer {
	if v, ok := ctx.Value(viewerKey{}).(*Viewer); ok {
		return *v
	}
	return Viewer{}
}

// RoleOf returns the viewer's role.
func RoleOf(ctx context.Context) Role {
	role, _ := ctx.Value(roleKey{}).(Role)
	return role
}

// Argument returns the viewer's ID as an argument of a statement: a UUID, or the placeholder that
// WithArguments has set.
func Argument(ctx context.Context) any { return ctx.Value(idKey{}) }

// arguing is a context with placeholders for the viewer's ID and tenant.
type arguing struct {
	context.Context
	id     any
	tenant func(ids.Form) any
}

// Value returns a placeholder in the place of the viewer's ID or tenant. For other keys it returns
// the parent context's value.
func (c arguing) Value(key any) any {
	switch key := key.(type) {
	case idKey:
		return c.id
	case tenantKey:
		return c.tenant(key.as)
	}
	return c.Context.Value(key)
}

// WithArguments returns a context in which Argument and TenantArgument return the given
// placeholders. With it, a statement can be written once for all viewers of a role.
func WithArguments(ctx context.Context, id any, tenant func(ids.Form) any) context.Context {
	return arguing{ctx, id, tenant}
}
