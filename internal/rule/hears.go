package rule

import (
	"context"

	"forge/internal/entity"
	"forge/internal/viewer"
)

// Hears returns who hears of changes of an entity's rows, for the viewer of ctx. With all, the
// viewer may see all rows, and hears of every change. Otherwise they hear of changes of rows whose
// column owner has their ID, before or after the change, unless owner is "". Of other rows they hear
// if they may see them after the change: whether they could before, a row that is gone does not
// tell.
func Hears(ctx context.Context, e *entity.Entity) (all bool, owner string) {
	policies := Of(e)
	switch {
	case e.Ruled && len(policies) == 0, e.Filtered && e.Deleted == "": // by rules that nobody knows
		return false, ""
	case e.Ruled && len(policies) == 1 && policies[0].Tenant == "":
		p := policies[0]
		all, owns := p.hears(ctx, or(p.Read))
		if owns && viewer.RoleOf(ctx) == viewer.User {
			owner = p.Owner.Column
		}
		return all, owner
	}
	return len(policies) == 0, ""
}

// hears reports whether the viewer belongs to a group for all rows, and whether for those that they
// own, by a column of the row itself.
func (p Policy) hears(ctx context.Context, who Who) (all, owns bool) {
	switch who := who.(type) {
	case Group:
		if who == Owners {
			return viewer.RoleOf(ctx) == viewer.Admin, p.Owner.Path == ""
		}
		a, _ := who.of(ctx, nil) // which looks at no rows
		return a.all, false
	case Role:
		a, _ := who.of(ctx, nil)
		return a.all, false
	case several:
		all = who.all
		for _, part := range who.groups {
			of, own := p.hears(ctx, or(part))
			if who.all {
				all = all && of
			} else {
				all, owns = all || of, owns || own
			}
		}
		return all, owns
	}
	return viewer.RoleOf(ctx) == viewer.Admin, false
}
