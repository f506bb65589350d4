// Package viewer holds the user that a request comes from. The context carries it, and all code
// that depends on the viewer asks the context.
package viewer

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Role is the most that a viewer may do. The zero value is Anonymous.
type Role uint8

// The roles. Each may do everything that those before it may.
const (
	Anonymous Role = iota
	User
	Admin
)

// roleNames are the names of the roles.
var roleNames = [...]string{Anonymous: "ANONYMOUS", User: "USER", Admin: "ADMIN"}

// RoleNames returns the names of the roles that an account may have, the lowest first. They stand
// in the database and in tokens, and the API shows them.
func RoleNames() []string { return slices.Clone(roleNames[User:]) }

// String returns the name of the role.
func (r Role) String() string { return roleNames[r] }

// ParseRole returns the role of one of RoleNames, in any case of letters. For other names it
// returns Anonymous and false.
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
	ID     uuid.UUID // of the user; zero if there is none
	Role   Role
	Issued time.Time // when the viewer's token was issued; zero if there is none
	// Stranger says that only the identity provider knows the user. The ID is made for them, and
	// the database has no row of it.
	Stranger bool
}

// System is the viewer for work that Forge does by itself: it fills in rows, removes expired ones,
// or changes rows that the request's own viewer may not change directly. With AUTH=off every
// request has this viewer.
var System = Viewer{Role: Admin}

// The keys of the context's values. Role and ID have keys of their own: the text of a statement
// depends on the role, while the ID is only an argument of it (see WithArgument).
type (
	roleKey   struct{}
	idKey     struct{}
	viewerKey struct{} // the whole Viewer
	changeKey struct{} // the viewer of Switchable
)

// viewing is a context with a viewer.
type viewing struct {
	context.Context
	viewer     *Viewer
	switchable bool
}

// Value returns the viewer or a part of it, and the parent context's value for other keys.
func (c viewing) Value(key any) any {
	switch key.(type) {
	case roleKey:
		return c.viewer.Role
	case idKey:
		return c.viewer.ID
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

// Switchable returns a context with the viewer of ctx. Become can change the viewer of this context
// and of all contexts derived from it.
func Switchable(ctx context.Context) context.Context {
	v := FromContext(ctx)
	return viewing{ctx, &v, true}
}

// Become makes v the viewer of the innermost Switchable context that ctx is derived from, so that
// users who sign in see the rest of the response as themselves. It must not be called while another
// goroutine uses that context. Without such a context it does nothing.
func Become(ctx context.Context, v Viewer) {
	if now, ok := ctx.Value(changeKey{}).(*Viewer); ok {
		*now = v
	}
}

// FromContext returns the viewer of a context, the zero one if there is none.
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

// Argument returns the viewer's ID as an argument of a statement. It is a UUID, or the placeholder
// set by WithArgument.
func Argument(ctx context.Context) any { return ctx.Value(idKey{}) }

// arguing is a context with a placeholder for the viewer's ID.
type arguing struct {
	context.Context
	argument any
}

// Value returns the placeholder as the viewer's ID, and the parent context's value for other keys.
func (c arguing) Value(key any) any {
	if key == (idKey{}) {
		return c.argument
	}
	return c.Context.Value(key)
}

// WithArgument returns a context in which Argument returns the given placeholder. A statement can
// so be written once for all viewers of a role.
func WithArgument(ctx context.Context, argument any) context.Context {
	return arguing{ctx, argument}
}
