// Package viewer tells who a request comes from. Everything that depends on it asks the context.
package viewer

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Role is what a viewer may do at most. The zero value is that of somebody who has not said who they are.
type Role uint8

// The roles, each of which may do what those before it may.
const (
	Anonymous Role = iota
	User
	Admin
)

// Viewer is who asks. The zero value is anonymous.
type Viewer struct {
	ID       uuid.UUID // of the user; zero if it is nobody in particular
	Role     Role
	Issued   time.Time // when the token was made that says so; zero if there is none
	Stranger bool      // known to a provider alone: there is no row of them, but the ID is theirs
}

// System is Forge itself, at work for nobody in particular: rows are filled in, expired ones removed, or a rule is carried
// out whose effect reaches beyond what the viewer may change, such as stock that an order takes. It is also everybody where AUTH is off.
var System = Viewer{Role: Admin}

// The keys of a context that a viewer is found by. Role and ID have keys of their own, because what is read depends on the role in its
// shape, and on the ID only by a value (see WithArgument).
type (
	roleKey   struct{}
	idKey     struct{}
	viewerKey struct{} // all of it
	changeKey struct{} // the viewer of Switchable
)

type viewing struct {
	context.Context
	viewer     *Viewer
	switchable bool
}

// Value answers for the viewer, and else as the context does.
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

// Switchable returns a context with the viewer of ctx, whom Become can change: for it, and for contexts made of it.
func Switchable(ctx context.Context) context.Context {
	v := FromContext(ctx)
	return viewing{ctx, &v, true}
}

// Become makes v the viewer of the innermost Switchable context that ctx is made of: whoever signs in sees the rest of the answer as themselves. It
// must not be called while others use that context. Without such a context it does nothing.
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

// Argument returns the viewer's ID as an argument of a statement: a UUID, or what WithArgument has put in its place.
func Argument(ctx context.Context) any { return ctx.Value(idKey{}) }

type arguing struct {
	context.Context
	argument any
}

// Value answers with the argument for the viewer's ID, and else as the context does.
func (c arguing) Value(key any) any {
	if key == (idKey{}) {
		return c.argument
	}
	return c.Context.Value(key)
}

// WithArgument returns a context in which argument stands for the viewer's ID, so that a statement can be written once for all
// viewers of a role.
func WithArgument(ctx context.Context, argument any) context.Context {
	return arguing{ctx, argument}
}
