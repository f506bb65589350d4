package seed

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

type userRow struct {
	row
	username string
	email    *string // the email, in lower case; email_key has the same value
	role     string
	active   bool
	hash     *string // the hash of the password, or nil
}

// users returns n users. The first user is an administrator and was created first. The second user
// is active.
func users(n int) []userRow {
	m, taken := newMaker(1), names{}
	all := make([]userRow, n)
	for i := range all {
		p := userRow{row: m.row(m.nth(i, n, yearStart, lastDays)), role: "USER", active: true}
		p.username = taken.unique(letters(m.FirstName())+"."+letters(m.LastName()), "")
		if i < len(Accounts) {
			p.username, p.role = Accounts[i].Username, Accounts[i].Role
		}
		if i == 0 || !m.oneIn(20) {
			email := p.username + "@" + pick(m, []string{"example.com", "example.net", "example.org"})
			p.email = &email
		}
		if i > 0 && m.oneIn(15) && i >= len(Accounts) {
			p.active = false
			p.changed(m, 60*24*time.Hour)
		}
		all[i] = p
	}
	return all
}

type teamRow struct {
	row
	name         string
	headquarters *string
}

func teams(n int) []teamRow {
	m, taken := newMaker(2), names{}
	all := make([]teamRow, n)
	for i := range all {
		t := teamRow{row: m.row(m.nth(i, n, yearStart, opening))}
		t.name = taken.unique("The "+pick(m, qualities)+" "+pick(m, bands), " ")
		if i == 0 || !m.oneIn(8) {
			where := m.City() + " " + pick(m, lairs)
			t.headquarters = &where
		}
		if m.oneIn(4) {
			t.changed(m, 90*24*time.Hour)
		}
		all[i] = t
	}
	return all
}

type heroRow struct {
	row
	name       string
	secretName *string
	age        *int
	team       *uuid.UUID
	owner      uuid.UUID
}

// heroes returns each heroes for each owner, oldest first.
func heroes(owners []userRow, teams []teamRow, each int) []heroRow {
	m := newMaker(3)
	all := make([]heroRow, 0, len(owners)*each)
	for _, owner := range owners {
		for range each {
			h := heroRow{owner: owner.id, name: heroName(m)}
			h.created = m.between(later(owner.created, opening), yearEnd)
			if !m.oneIn(4) {
				name := m.FirstName() + " " + m.LastName()
				h.secretName = &name
			}
			if !m.oneIn(10) {
				age := m.IntRange(16, 79)
				h.age = &age
			}
			if !m.oneIn(8) {
				team := pick(m, teams).id
				h.team = &team
			}
			all = append(all, h)
		}
	}
	slices.SortStableFunc(all, func(a, b heroRow) int { return a.created.Compare(b.created) })
	for i := range all {
		all[i].row = m.row(all[i].created)
		if m.oneIn(5) {
			all[i].changed(m, 120*24*time.Hour)
		}
	}
	return all
}

func heroName(m *maker) string {
	switch m.IntN(10) {
	case 0, 1:
		return pick(m, titles) + " " + pick(m, figures)
	case 2:
		return "The " + pick(m, figures)
	default:
		return pick(m, qualities) + " " + pick(m, figures)
	}
}

// names counts how often each name was requested.
type names map[string]int

// unique returns name. If the name was returned before, it adds a number.
func (n names) unique(name, separator string) string {
	for {
		n[name]++
		if n[name] == 1 {
			return name
		}
		name += separator + strconv.Itoa(n[name])
	}
}

// letters returns a name in lower case, with only the letters a to z, as it can be used in a
// username.
func letters(name string) string {
	return strings.Map(func(r rune) rune {
		if r < 'a' || r > 'z' {
			return -1
		}
		return r
	}, strings.ToLower(name))
}

func sku(prefix string, number int) string { return fmt.Sprintf("%s-%04d", prefix, number) }
