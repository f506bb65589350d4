package rule

import (
	"context"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql"

	"forge/internal/viewer"
)

// Who is a group of viewers that may do something with rows. Administrators belong to every group
// but Nobody. Who is one of the groups below, Role, Members, or what Any and All return. A field of
// type Who that is nil is for Nobody.
type Who interface {
	// of returns the rows for which the viewer belongs to the group.
	of(context.Context, *rows) (answer, error)
	// names the viewers, as in "only … may do this".
	names() string
	// parts returns the groups that the group consists of, or nil.
	parts() []Who
}

// Group is a group of viewers that does not depend on the application.
type Group int

// These are the groups. Each group includes the groups before it.
const (
	Nobody Group = iota
	Admins
	Owners // signed-in users, for the rows that they own
	SignedIn
	Everyone
)

func (g Group) of(ctx context.Context, r *rows) (answer, error) {
	role := viewer.RoleOf(ctx)
	switch {
	case g == Everyone, g >= Admins && role == viewer.Admin, g == SignedIn && role == viewer.User:
		return always, nil
	case g == Owners:
		return Members{Path: r.owner.Path, User: r.owner.Column}.of(ctx, r)
	}
	return none, nil
}

func (g Group) names() string {
	return [...]string{"an administrator", "an administrator", "the owner", "somebody who has signed in", "anybody"}[g]
}

func (Group) parts() []Who { return nil }

// Role is a role of the application's own. Viewers have it if the token of an identity provider
// says so, in the claim that AUTH_ROLE_CLAIM names. Upper and lower case make no difference there.
type Role string

func (role Role) of(ctx context.Context, _ *rows) (answer, error) {
	return answer{all: viewer.RoleOf(ctx) == viewer.Admin || viewer.Holds(ctx, string(role))}, nil
}

func (role Role) names() string { return "somebody with the role " + string(role) }

func (Role) parts() []Who { return nil }

// Any returns the group of those who belong to at least one of the groups.
func Any(groups ...Who) Who { return several{groups, false} }

// All returns the group of those who belong to all of the groups, for the same row.
func All(groups ...Who) Who { return several{groups, true} }

type several struct {
	groups []Who
	all    bool
}

func (s several) of(ctx context.Context, r *rows) (answer, error) {
	var some []condition
	for _, group := range s.groups {
		a, err := group.of(ctx, r)
		switch {
		case err != nil:
			return none, err
		case a.when != nil:
			some = append(some, a.when)
		case a.all != s.all:
			return a, nil // which decides
		}
	}
	switch len(some) {
	case 0:
		return answer{all: s.all}, nil
	case 1: // ent would leave out the brackets around a predicate that is joined with none
		return answer{when: some[0]}, nil
	}
	join := sql.Or
	if s.all {
		join = sql.And
	}
	return answer{when: func(selector *sql.Selector) *sql.Predicate {
		predicates := make([]*sql.Predicate, len(some))
		for i, when := range some {
			predicates[i] = when(selector)
		}
		return join(predicates...)
	}}, nil
}

func (s several) names() string {
	names := make([]string, len(s.groups))
	for i, group := range s.groups {
		names[i] = group.names()
	}
	if s.all {
		return strings.Join(names, " who is also ")
	}
	return strings.Join(names, " or ")
}

func (s several) parts() []Who { return s.groups }

// or returns the group, or Nobody if there is none.
func or(who Who) Who {
	if who == nil {
		return Nobody
	}
	return who
}

// includes reports whether a group is, or consists among others of, another one.
func includes(who Who, other Group) bool {
	return who == other || slices.ContainsFunc(who.parts(), func(part Who) bool { return includes(part, other) })
}
