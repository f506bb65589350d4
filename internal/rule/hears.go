package rule

import (
	"context"

	"forge/internal/entity"
	"forge/internal/viewer"
)

// Hearing says of which changes of an entity's rows a viewer hears.
type Hearing struct {
	// All says that the viewer may see all rows, and hears of every change.
	All bool
	// Owner is a column. If it is not "", the viewer hears of changes of rows that have their ID in
	// that column, before or after the change.
	Owner string
	// Reads says that the viewer may also see other rows, which only a look at the row tells. They
	// hear of a change if they may see the row after it: whether they could before, a row that is
	// gone does not tell.
	Reads bool
}

// Hears returns of which changes of an entity's rows the viewer of ctx hears.
func Hears(ctx context.Context, e *entity.Entity) Hearing {
	policies := Of(e)
	switch {
	case e.Ruled && len(policies) == 0, e.Filtered && e.Deleted == "": // by rules that nobody knows
		return Hearing{Reads: true}
	case e.Ruled && len(policies) == 1 && policies[0].Tenant == "":
		p := policies[0]
		h, owns := p.hears(ctx, or(p.Read))
		if owns && viewer.RoleOf(ctx) == viewer.User {
			h.Owner = p.Owner.Column
		}
		return h
	}
	return Hearing{All: len(policies) == 0, Reads: len(policies) > 0}
}

// hears returns of which changes the viewer hears as one of a group, but for those of rows that they
// own by a column of the row itself. It returns true for owns if the group hears of these.
func (p Policy) hears(ctx context.Context, who Who) (h Hearing, owns bool) {
	admin := viewer.RoleOf(ctx) == viewer.Admin
	switch who := who.(type) {
	case Group:
		if who == Owners {
			return Hearing{All: admin, Reads: !admin && p.Owner.Path != ""}, p.Owner.Path == ""
		}
		a, _ := who.of(ctx, nil) // which looks at no rows
		return Hearing{All: a.all}, false
	case Role:
		a, _ := who.of(ctx, nil)
		return Hearing{All: a.all}, false
	case several:
		h.All = who.all
		for _, part := range who.groups {
			of, own := p.hears(ctx, or(part))
			if who.all {
				h.All, h.Reads = h.All && of.All, true
			} else {
				h.All, h.Reads, owns = h.All || of.All, h.Reads || of.Reads, owns || own
			}
		}
		return Hearing{All: h.All, Reads: h.Reads && !h.All}, owns
	}
	return Hearing{All: admin, Reads: !admin}, false
}
