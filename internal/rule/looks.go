package rule

import (
	"maps"
	"slices"

	"forge/internal/entity"
)

// LooksAt returns a function that reports whether who may see a row, or a field of it, may depend
// on a column of the row. Where nobody knows the rules, that is each column.
func LooksAt(e *entity.Entity) func(column string) bool {
	policies := Of(e)
	if e.Ruled && len(policies) == 0 || e.Filtered && e.Deleted == "" {
		return func(string) bool { return true }
	}
	var columns []string
	for _, p := range policies {
		columns = append(columns, p.Tenant)
		for _, who := range append([]Who{p.Read}, slices.Collect(maps.Values(p.ShownTo))...) {
			columns = append(columns, p.looksAt(or(who))...)
		}
	}
	return func(column string) bool { return slices.Contains(columns, column) }
}

// looksAt returns the columns of the row itself by which somebody belongs to a group.
func (p Policy) looksAt(who Who) (columns []string) {
	switch who := who.(type) {
	case Group:
		if who == Owners && p.Owner.Path == "" {
			columns = append(columns, p.Owner.Column)
		}
	case Members:
		if who.Path == "" && who.In == "" {
			columns = append(slices.Collect(maps.Keys(who.With)), who.User)
		}
	case several:
		for _, part := range who.groups {
			columns = append(columns, p.looksAt(or(part))...)
		}
	}
	return columns
}

// Step is an edge on the way from a row to the one that has its owner, and where it leads.
type Step struct {
	*entity.Edge
	To *entity.Entity
}

// OwnerOf returns the way from a row of an entity to the one that has its owner, and the column of
// that row with the owner's ID. The column is nil if the rows have no owner.
func OwnerOf(e *entity.Entity, entities []*entity.Entity) (steps []Step, column *entity.Field) {
	if e.Owner != "" {
		return nil, e.Column(e.Owner)
	}
	owner := Owner{}
	for _, p := range Of(e) {
		if p.Owner.Column != "" {
			owner = p.Owner
		}
	}
	for _, name := range (Members{Path: owner.Path}).path() {
		edge := e.Edge(argument(name))
		if edge == nil {
			return nil, nil // the start refuses it
		}
		i := slices.IndexFunc(entities, func(to *entity.Entity) bool { return to.Name == edge.To })
		if i < 0 {
			return nil, nil
		}
		e = entities[i]
		steps = append(steps, Step{edge, e})
	}
	return steps, e.Column(owner.Column)
}

// OwnerColumn returns the column of an entity's rows by which their owners hear of changes, or "".
func OwnerColumn(e *entity.Entity) string {
	if policies := Of(e); len(policies) == 1 && policies[0].Owner.Path == "" {
		return policies[0].Owner.Column
	}
	return e.Owner
}
