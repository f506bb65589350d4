package rule

import (
	"slices"

	"forge/internal/viewer"
)

// Callers returns the lowest role that a member of a group has, and roles of the application's own
// of which each member has one, if there are any. It returns false if nobody belongs to the group.
// It is about what a group says of itself, so it looks at no rows.
func Callers(who Who) (role viewer.Role, roles []string, ok bool) {
	switch who := or(who).(type) {
	case Group:
		role = [...]viewer.Role{Nobody: viewer.Admin, Admins: viewer.Admin, Owners: viewer.User, SignedIn: viewer.User, Everyone: viewer.Anonymous}[who]
		return role, nil, who != Nobody
	case Role:
		return viewer.User, []string{string(who)}, true
	case several:
		return who.callers()
	}
	return viewer.User, nil, true
}

func (s several) callers() (role viewer.Role, roles []string, ok bool) {
	if role = viewer.Admin; s.all {
		role = viewer.Anonymous
	}
	unnamed := false // somebody belongs to the groups without a role of the application's own
	for _, group := range s.groups {
		lowest, names, some := Callers(group)
		switch {
		case !some && s.all:
			return viewer.Admin, nil, false
		case !some:
			continue
		case s.all:
			role = max(role, lowest)
			if roles == nil {
				roles = names
			}
		default:
			role, roles = min(role, lowest), append(roles, names...)
			unnamed = unnamed || names == nil && lowest < viewer.Admin
		}
		ok = true
	}
	if unnamed {
		roles = nil
	}
	slices.Sort(roles)
	return role, slices.Compact(roles), ok
}
