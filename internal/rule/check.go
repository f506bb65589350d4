package rule

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"entgo.io/ent"
	"entgo.io/ent/privacy"

	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/viewer"
)

// Of returns the policies of an entity and of its mixins that are of type Policy.
func Of(e *entity.Entity) []Policy {
	if e.Policy == nil {
		return nil
	}
	return policiesIn(nil, e.Policy())
}

func policiesIn(found []Policy, in any) []Policy {
	switch p := in.(type) {
	case Policy:
		return append(found, p)
	case privacy.Policies:
		for _, part := range p {
			found = policiesIn(found, part)
		}
	case privacy.Policy:
		for _, part := range p.Query {
			found = policiesIn(found, part)
		}
	}
	return found
}

var _ ent.Policy = Policy{}

// Weighs reports whether the policy of an entity may decide by the value that an update sets a
// column to. Policies and rules of ent's own may.
func Weighs(e *entity.Entity, column string) bool {
	return e.Policy != nil && weighs(e, column, e.Policy())
}

func weighs(e *entity.Entity, column string, in any) bool {
	switch p := in.(type) {
	case Policy:
		return p.weighs(e, column)
	case privacy.Policies:
		return slices.ContainsFunc(p, func(part ent.Policy) bool { return weighs(e, column, part) })
	}
	return true
}

func (p Policy) weighs(e *entity.Entity, column string) (found bool) {
	p.each(func(at string, who Who) {
		m, ok := who.(Members)
		if who == Owners {
			m, ok = Members{Path: p.Owner.Path, User: p.Owner.Column}, true
		}
		found = found || at == "Update" && ok && m.weigh(e, column)
	})
	return found || p.Tenant == column || p.SetBy[column] != nil
}

// weigh reports whether a column of the row that the group is asked about decides who is a member.
func (m Members) weigh(e *entity.Entity, column string) bool {
	switch path := m.path(); {
	case m.In != "":
		return false
	case path == nil:
		return m.User == column || m.With[column] != nil
	default:
		edge := e.Edge(argument(path[0]))
		return edge == nil || edge.OwnKey && edge.Column == column
	}
}

// Roles returns the roles of the application's own that the policies of entities name, in order.
func Roles(entities []*entity.Entity) (names []string) {
	for _, e := range entities {
		for _, p := range Of(e) {
			p.each(func(_ string, who Who) {
				if role, ok := who.(Role); ok && !slices.Contains(names, string(role)) {
					names = append(names, string(role))
				}
			})
		}
	}
	slices.Sort(names)
	return names
}

// each calls f with each group of the policy, also those that others consist of. at is the place
// of the group, such as "Read".
func (p Policy) each(f func(at string, who Who)) {
	var add func(at string, who Who)
	add = func(at string, who Who) {
		f(at, who)
		for _, part := range who.parts() {
			add(at, or(part))
		}
	}
	for _, of := range []struct {
		at  string
		who Who
	}{{"Read", p.Read}, {createPlace, p.Create}, {"Update", p.Update}, {"Delete", p.Delete}} {
		add(of.at, or(of.who))
	}
	for at, of := range map[string]map[string]Who{"ShownTo": p.ShownTo, "SetBy": p.SetBy} {
		for _, name := range slices.Sorted(maps.Keys(of)) {
			add(at+" "+name, or(of[name]))
		}
	}
}

const createPlace = "Create"

// Check returns what is wrong with the policies of an entity, as sentences. all are all entities.
func Check(e *entity.Entity, all []*entity.Entity) []string {
	c := checker{of: e, all: map[string]*entity.Entity{}}
	for _, other := range all {
		c.all[other.Name] = other
	}
	c.shown()
	for _, p := range Of(e) {
		p.each(func(at string, who Who) { c.group(p, at, who) })
		c.fields(p)
		c.tenant(p)
	}
	return c.findings
}

type checker struct {
	of       *entity.Entity
	all      map[string]*entity.Entity
	findings []string
}

func (c *checker) refuse(format string, args ...any) {
	c.findings = append(c.findings, fmt.Sprintf(format, args...))
}

// RoleAllowed says what the name of a role of the application's own looks like.
const RoleAllowed = "allowed are up to 64 letters, digits and _.:- that begin with a letter, and are neither USER nor ADMIN"

var roleForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.:-]{0,63}$`)

// Valid reports whether a role of the application's own may have the name.
func (role Role) Valid() bool {
	_, known := viewer.ParseRole(string(role))
	return !known && roleForm.MatchString(string(role))
}

func (c *checker) group(p Policy, at string, who Who) {
	switch who := who.(type) {
	case Role:
		if !who.Valid() {
			c.refuse("its rule %s names the role %q; %s", at, string(who), RoleAllowed)
		}
	case Group:
		if who == Owners {
			if p.Owner.Column == "" {
				c.refuse("its rule %s is about owners, but its Policy does not say who owns a row; name the column as Owner", at)
				return
			}
			c.members(at, Members{Path: p.Owner.Path, User: p.Owner.Column})
		}
	case Members:
		c.members(at, who)
	}
}

func (c *checker) members(at string, m Members) {
	e := c.of
	if m.In != "" {
		if m.Path != "" {
			c.refuse("its rule %s has both a Path and In; take one out", at)
		}
		if e = c.all[m.In]; e == nil {
			c.refuse("its rule %s is about rows of %s, which ent/schema does not have", at, m.In)
			return
		}
	}
	for i, name := range m.path() {
		if e = c.edge(at, e, name, i == 0 && at == createPlace); e == nil {
			return
		}
	}
	user := columnOf(e, m.User)
	if user == nil || user.Kind != entity.ID || c.all[user.Refers] == nil || c.all[user.Refers].Keys != ids.UUID {
		c.refuse("its rule %s finds members by the column %s of %s, which is no column with the UUID of a user", at, m.User, e.Name)
	}
	for _, column := range slices.Sorted(maps.Keys(m.With)) {
		if columnOf(e, column) == nil {
			c.refuse("its rule %s compares the column %s, which %s does not have", at, column, e.Name)
		}
		if len(m.With[column]) == 0 || slices.Contains(m.With[column], nil) {
			c.refuse("its rule %s allows no value of the column %s, or NULL; allowed are texts, numbers and booleans", at, column)
		}
	}
}

// edge returns what an edge of a path leads to. It returns nil, and adds a finding, if the rule
// cannot follow the edge.
func (c *checker) edge(at string, e *entity.Entity, name string, made bool) *entity.Entity {
	edge := e.Edge(argument(name))
	if edge == nil {
		var names []string
		for _, other := range e.Edges {
			names = append(names, other.Name)
		}
		c.refuse("its rule %s follows the edge %s, which %s does not have in ent/schema; it has: %s", at, name, e.Name, strings.Join(names, ", "))
		return nil
	}
	to, key := c.all[edge.To], e
	if edge.OwnKey || edge.Through != "" {
		key = to
	}
	join := c.all[edge.Join]
	switch {
	case key.Fields[0].Refers != key.Name:
		c.refuse("its rule %s follows the edge %s to or from %s, whose key consists of several columns", at, name, key.Name)
	case join != nil && join.Filtered:
		c.refuse("its rule %s follows the edge %s through rows of %s, some of which interceptors hide; follow the edge to %[3]s, and one from there", at, name, join.Name)
	case made && (!edge.OwnKey || columnOf(e, edge.Column) == nil):
		c.refuse("its rule %s begins with the edge %s, whose key is no field of %s: a new row leads nowhere yet; begin with an edge that has a Field", at, name, e.Name)
	default:
		return to
	}
	return nil
}

// fields checks the names in ShownTo and SetBy.
func (c *checker) fields(p Policy) {
	names := namesOf(c.of)
	for _, name := range slices.Sorted(maps.Keys(p.ShownTo)) {
		switch {
		case !slices.Contains(names, name):
			c.refuse("its rule ShownTo names %s, which is no column, edge or computed field in ent/schema; those of the API are %s", name, strings.Join(names, ", "))
		case c.of.Visible[name] != entity.ToNobody:
			c.refuse("%s stands in ShownTo of its Policy, and in ShownToAll or ShownToOwners of its annotation; take one out", name)
		}
	}
	for _, column := range slices.Sorted(maps.Keys(p.SetBy)) {
		if columnOf(c.of, column) == nil {
			c.refuse("its rule SetBy names the column %s, which it does not have", column)
		}
	}
}

// shown checks the names in ShownToAll and ShownToOwners.
func (c *checker) shown() {
	names := namesOf(c.of)
	for _, name := range slices.Sorted(maps.Keys(c.of.Visible)) {
		if list := lists[c.of.Visible[name]]; list != "" && !slices.Contains(names, name) {
			c.refuse("%s names %s, which is no column, edge or computed field in ent/schema; those of the API are %s", list, name, strings.Join(names, ", "))
		}
	}
}

var lists = map[entity.Visibility]string{entity.ToAll: "ShownToAll", entity.ToOwners: "ShownToOwners"}

// namesOf returns the API names of all that an entity may show.
func namesOf(e *entity.Entity) (names []string) {
	for _, f := range e.Fields {
		names = append(names, f.Name)
	}
	for _, edge := range e.Edges {
		names = slices.AppendSeq(append(names, edge.Name), maps.Keys(edge.Shows))
	}
	names = slices.AppendSeq(slices.AppendSeq(names, maps.Keys(e.Unites)), maps.Keys(e.Computed))
	slices.Sort(names)
	return slices.Compact(names)
}

// tenant checks the column of the tenant.
func (c *checker) tenant(p Policy) {
	if p.Tenant == "" {
		return
	}
	f := columnOf(c.of, p.Tenant)
	switch {
	case f == nil:
		c.refuse("its Tenant is the column %s, which it does not have", p.Tenant)
		return
	case f.Nullable:
		c.refuse("its Tenant, the column %s, may be NULL; every row belongs to a tenant, so take Optional() out", p.Tenant)
	}
	if _, ok := formOf(f, c.all[f.Refers]); !ok || !slices.Contains(tenantTypes, f.Type) {
		c.refuse("its Tenant, the column %s, is of type %s; allowed: %s", p.Tenant, f.Type, strings.Join(tenantTypes, ", "))
	}
}
