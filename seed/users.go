package seed

import (
	"strconv"
	"strings"
	"time"
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
		p.username = taken.unique(letters(m.firstName())+"."+letters(m.lastName()), "")
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
