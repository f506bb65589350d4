package viewer

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"forge/internal/ids"
)

// Roles are roles of the application's own, such as "AUDITOR". Viewers have them beside their Role.
// Equal sets of roles are equal with ==.
type Roles string

// NewRoles returns a set of roles. A name has no line break in it.
func NewRoles(names ...string) Roles {
	names = slices.Clone(names)
	slices.Sort(names)
	var all strings.Builder
	for _, name := range slices.Compact(names) {
		all.WriteString(name + "\n")
	}
	return Roles(all.String())
}

// Has reports whether a role is in the set.
func (r Roles) Has(name string) bool {
	for held := range strings.Lines(string(r)) {
		if held == name+"\n" {
			return true
		}
	}
	return false
}

// Holds reports whether the viewer has a role of the application's own.
func Holds(ctx context.Context, role string) bool {
	holds, _ := ctx.Value(holdsKey(role)).(bool)
	return holds
}

// HasTenant reports whether the viewer belongs to a tenant.
func HasTenant(ctx context.Context) bool {
	has, _ := ctx.Value(hasTenant{}).(bool)
	return has
}

// HasTenantOf reports whether the viewer belongs to a tenant whose key is of the form.
func HasTenantOf(ctx context.Context, form ids.Form) bool {
	is, _ := ctx.Value(tenantIs{form}).(bool)
	return is
}

// TenantArgument returns the key of the viewer's tenant as an argument of a statement: a UUID, an
// int64 or a text, or the placeholder that WithArguments has set. It returns nil if the viewer has
// no tenant, or one whose key is of another form.
func TenantArgument(ctx context.Context, form ids.Form) any { return ctx.Value(tenantKey{form}) }

// TenantOf returns the key of the viewer's tenant as TenantArgument does. It is the key in Tenant:
// that of an ID such as team_…, if the form is that of its keys, or else the whole text.
func (v *Viewer) TenantOf(form ids.Form) any {
	text := v.Tenant
	if id, err := ids.Parse(text); err == nil && form != ids.Text {
		text = id.Text
		if form == ids.UUID && text == "" {
			return id.UUID
		}
	}
	switch {
	case text == "":
		return nil
	case form == ids.UUID:
		if id, err := uuid.Parse(text); err == nil && len(text) == len(id.String()) {
			return id
		}
		return nil
	case form == ids.Number:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n
		}
		return nil
	}
	return text
}
