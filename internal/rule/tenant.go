package rule

import (
	"context"
	"fmt"

	"entgo.io/ent"

	"forge/internal/apperr"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/viewer"
)

// Tenant returns the column of an entity that its policy sets to the viewer's tenant in new rows.
// It returns "" if there is none.
func Tenant(e *entity.Entity) string {
	for _, p := range Of(e) {
		if p.Tenant != "" {
			return p.Tenant
		}
	}
	return ""
}

// ofTenant returns the rows of the viewer's tenant.
func (p Policy) ofTenant(ctx context.Context, r *rows) (answer, error) {
	if p.Tenant == "" {
		return always, nil
	}
	if !viewer.HasTenant(ctx) {
		return answer{all: viewer.RoleOf(ctx) == viewer.Admin}, nil
	}
	form, _, err := p.tenantOf(r)
	if err != nil || !viewer.HasTenantOf(ctx, form) {
		return none, err
	}
	return answer{when: term{p.Tenant, []any{viewer.TenantArgument(ctx, form)}}.is}, nil
}

// tenantOf returns the form of the keys in the column of the tenant, and its type in Go.
func (p Policy) tenantOf(r *rows) (form ids.Form, goType string, err error) {
	e, g := r.Described()
	f := columnOf(e, p.Tenant)
	if f == nil {
		return 0, "", fmt.Errorf("rule: %s has no column %s", e.Name, p.Tenant)
	}
	form, ok := formOf(f, g.Entity(f.Refers))
	if !ok {
		err = fmt.Errorf("rule: the column %s of %s is of type %s", p.Tenant, e.Name, f.Type)
	}
	return form, f.Type, err
}

// formOf returns the form of the tenants in a column. It returns false if it cannot hold tenants.
func formOf(f *entity.Field, refers *entity.Entity) (ids.Form, bool) {
	switch {
	case f.Kind == entity.ID && refers != nil:
		return refers.Keys, true
	case f.Kind == entity.UUID:
		return ids.UUID, true
	case f.Kind == entity.Int, f.Kind == entity.BigInt:
		return ids.Number, true
	}
	return ids.Text, f.Kind == entity.String
}

// keepTenant returns an error if a mutation would make a row of another tenant, or change the
// tenant of a row. A new row gets the viewer's tenant.
func (p Policy) keepTenant(ctx context.Context, m ent.Mutation, r *rows) error {
	if p.Tenant == "" {
		return nil
	}
	value, set := m.Field(p.Tenant)
	if !m.Op().Is(ent.OpCreate) {
		if set || m.FieldCleared(p.Tenant) {
			return apperr.Forbidden("", "%s never changes", argument(p.Tenant))
		}
		return nil
	}
	if !viewer.HasTenant(ctx) {
		if viewer.RoleOf(ctx) == viewer.Admin {
			return nil // the administrator says whose it is, or the database refuses the row
		}
		return apperr.Forbidden("", "your token names no tenant")
	}
	form, goType, err := p.tenantOf(r)
	if err != nil {
		return err
	}
	own := viewer.TenantArgument(ctx, form)
	switch {
	case own == nil, set && fmt.Sprint(value) != fmt.Sprint(own):
		return apperr.Forbidden("", "%s is to be your own tenant", argument(p.Tenant))
	case set:
		return nil
	}
	return m.SetField(p.Tenant, typed(own, goType))
}

// typed returns a key as a value of one of the types of tenantTypes.
func typed(key any, goType string) any {
	n, _ := key.(int64)
	switch goType {
	case "int":
		return int(n)
	case "int32":
		return int32(n)
	}
	return key
}

// tenantTypes are the types in Go that the column of a tenant can have.
var tenantTypes = []string{"uuid.UUID", "int", "int32", "int64", "string"}

// columnOf returns the field that is stored in a column, or nil.
func columnOf(e *entity.Entity, column string) *entity.Field {
	for i := range e.Fields {
		if e.Fields[i].Column == column {
			return &e.Fields[i]
		}
	}
	return nil
}
