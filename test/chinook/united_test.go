package chinook_test

import (
	"cmp"
	"strings"

	"github.com/shopspring/decimal"

	"forge/test/chinook/ent"
)

// row is a row of any of the entities that an interface or a union consists of.
type row struct {
	entity, prefix string
	id             key
	name           string // a person's last name
	first, email   string // of a person
}

func (s *shop) employee(e *ent.Employee) row {
	return row{"Employee", "employee", e.ID, e.LastName, e.FirstName, e.Email}
}

func (s *shop) customer(c *ent.Customer) row {
	return row{"Customer", "customer", c.ID, c.LastName, c.FirstName, c.Email}
}

// people returns these employees and customers in the order of a list: by key, customers before
// employees.
func (s *shop) people(employees []*ent.Employee, customers []*ent.Customer) (all []row) {
	for _, e := range employees {
		all = append(all, s.employee(e))
	}
	for _, c := range customers {
		all = append(all, s.customer(c))
	}
	return by(all, func(a, b row) int { return cmp.Or(cmp.Compare(a.id, b.id), strings.Compare(a.entity, b.entity)) })
}

// shelves returns all that is a shelf, by name.
func (s *shop) shelves() (all []row) {
	for _, a := range s.artists {
		all = append(all, row{entity: "Artist", prefix: "artist", id: a.ID, name: a.Name})
	}
	for _, g := range s.genres {
		all = append(all, row{entity: "Genre", prefix: "genre", id: g.ID, name: g.Name})
	}
	for _, p := range s.playlists {
		all = append(all, row{entity: "Playlist", prefix: "playlist", id: p.ID, name: p.Name})
	}
	return by(all, func(a, b row) int {
		return cmp.Or(strings.Compare(a.name, b.name), cmp.Compare(a.id, b.id), strings.Compare(a.entity, b.entity))
	})
}

// byName orders people by their last names. Those of the same name are in the order of their keys.
func byName(a, b row) int {
	return cmp.Or(strings.Compare(a.name, b.name), cmp.Compare(a.id, b.id), strings.Compare(a.entity, b.entity))
}

// downwards is the opposite of an order, except that entities stay in the order of their names.
func downwards(a, b row) int {
	return cmp.Or(strings.Compare(b.name, a.name), cmp.Compare(b.id, a.id), strings.Compare(a.entity, b.entity))
}

func email(r row) any { return object{"email": r.email} }

// card shows a person.
func (s *shop) card(r row) any {
	shown := object{"__typename": r.entity, "id": idOf(r.prefix, r.id), "firstName": r.first, "lastName": r.name}
	if r.entity == "Customer" {
		c := at(s.customers, r.id)
		shown["country"], shown["supportRep"] = c.Country, when(c.SupportRepID, func(k key) any { return email(s.employee(at(s.employees, k))) })
		return shown
	}
	e := at(s.employees, r.id)
	shown["title"], shown["reportsTo"] = e.Title, when(e.ReportsToID, func(k key) any { return email(s.employee(at(s.employees, k))) })
	return shown
}

const card = `__typename id firstName lastName ... on Customer { country supportRep { email } } ... on Employee { title reportsTo { email } }`

func (s *shop) aboutInterfaces() []question {
	all := s.people(s.employees, s.customers)
	below := func(e *ent.Employee) []row { return s.people(s.reportsOf(e.ID), s.customersOf(e.ID)) }
	return []question{
		{
			name: "people of both kinds", query: `{ people(first: 40, orderBy: [{field: LAST_NAME}]) { totalCount nodes { ` + card + ` } }
				last: people(last: 3, orderBy: [{field: LAST_NAME, direction: DESC}]) { nodes { ... on Node { id } ... on Person { lastName } } } }`,
			want: object{
				"people": object{"totalCount": len(all), "nodes": list(top(40, by(all, byName)), s.card)},
				"last": nodes(by(all, downwards)[len(all)-3:], func(r row) any {
					return object{"id": idOf(r.prefix, r.id), "lastName": r.name}
				}),
			},
		},
		{
			"people by their names and addresses", `{ people(first: 100, orderBy: [{field: EMAIL, direction: DESC}], where: {
				or: [{lastNameIn: ["Ada", "Ω-Band"]}, {firstNameHasPrefix: "Z"}], not: {emailLT: "customer3"}}) { totalCount nodes { email } } }`, nil,
			object{"people": counted(by(those(all, func(r row) bool {
				return (r.name == "Ada" || r.name == "Ω-Band" || strings.HasPrefix(r.first, "Z")) && r.email >= "customer3"
			}), func(a, b row) int { return strings.Compare(b.email, a.email) }), email)},
		},
		{
			name: "the people around employees, as pages and as lists", query: `{ employees(first: 5) { nodes { email charges { __typename id }
				contacts(first: 4, orderBy: [{field: LAST_NAME}], where: {not: {lastName: "Ada"}}) { totalCount pageInfo { hasNextPage } nodes { ` + card + ` ... on Employee { contacts(last: 2) { totalCount nodes { email } } } } } } } }`,
			want: object{"employees": nodes(s.employees[:5], func(e *ent.Employee) any {
				found := by(those(below(e), func(r row) bool { return r.name != "Ada" }), byName)
				return object{
					"email":   e.Email,
					"charges": list(below(e), func(r row) any { return object{"__typename": r.entity, "id": idOf(r.prefix, r.id)} }),
					"contacts": object{"totalCount": len(found), "pageInfo": object{"hasNextPage": len(found) > 4}, "nodes": list(top(4, found), func(r row) any {
						shown := s.card(r).(object)
						if r.entity == "Employee" {
							of := below(at(s.employees, r.id))
							shown["contacts"] = object{"totalCount": len(of), "nodes": list(of[max(0, len(of)-2):], email)}
						}
						return shown
					})},
				}
			})},
		},
	}
}

func (s *shop) aboutUnions() []question {
	title := func(k key) any { return object{"__typename": "Album", "title": at(s.albums, k).Title} }
	genre := func(k key) any {
		return object{"__typename": "Genre", "name": at(s.genres, k).Name, "tracks": object{"totalCount": len(s.tracksIn(k))}}
	}
	return []question{
		{
			"where tracks are found", `{ tracks(first: 60, orderBy: [{field: MILLISECONDS}]) { nodes { name foundUnder { __typename ... on Album { title } ... on Genre { name tracks { totalCount } } } } }
				singles: tracks(first: 20, where: {hasAlbum: false}) { nodes { foundUnder { __typename ... on Genre { name tracks { totalCount } } } } } }`, nil,
			object{
				"tracks": nodes(top(60, by(s.tracks, func(a, b *ent.Track) int { return cmp.Compare(a.Milliseconds, b.Milliseconds) })), func(t *ent.Track) any {
					under := when(t.GenreID, genre)
					if t.AlbumID != nil {
						under = title(*t.AlbumID)
					}
					return object{"name": t.Name, "foundUnder": under}
				}),
				"singles": nodes(top(20, those(s.tracks, func(t *ent.Track) bool { return t.AlbumID == nil })), func(t *ent.Track) any {
					return object{"foundUnder": when(t.GenreID, genre)}
				}),
			},
		},
		{
			"shelves of three kinds", `{ shelves(first: 50, orderBy: [{field: NAME}]) { totalCount nodes { __typename ... on Node { id } ... on Artist { name albums { totalCount } } ... on Genre { name } ... on Playlist { name } } }
				some: shelves(where: {or: [{nameIn: ["Classical", "Music"]}, {nameHasPrefix: "Å"}]}) { nodes { __typename ... on Node { id } } } }`, nil,
			object{
				"shelves": counted(s.shelves(), func(r row) any {
					shown := object{"__typename": r.entity, "id": idOf(r.prefix, r.id), "name": r.name}
					if r.entity == "Artist" {
						shown["albums"] = object{"totalCount": len(s.albumsOf(r.id))}
					}
					return shown
				}),
				"some": nodes(by(those(s.shelves(), func(r row) bool {
					return r.name == "Classical" || r.name == "Music" || strings.HasPrefix(r.name, "Å")
				}), func(a, b row) int { return cmp.Or(cmp.Compare(a.id, b.id), strings.Compare(a.entity, b.entity)) }), func(r row) any {
					return object{"__typename": r.entity, "id": idOf(r.prefix, r.id)}
				}),
			},
		},
	}
}

func (s *shop) tracksIn(genre key) []*ent.Track {
	return those(s.tracks, func(t *ent.Track) bool { return is(t.GenreID, genre) })
}

// spent returns what a customer has spent.
func (s *shop) spent(customer key) string {
	sum := decimal.Zero
	for _, v := range s.invoicesOf(customer) {
		sum = sum.Add(v.Total)
	}
	return sum.String()
}

// superiors shows those above an employee.
func (s *shop) superiors(e *ent.Employee) []any {
	above := []any{}
	for e.ReportsToID != nil {
		e = at(s.employees, *e.ReportsToID)
		above = append(above, object{"email": e.Email, "reports": object{"totalCount": len(s.reportsOf(e.ID))}})
	}
	return above
}

// aboutComputed asks for what code computes. It returns the questions by the number of statements:
// that of the query, one for the loader of all customers, one for the resolver of all employees,
// and one for all rows to which computed fields refer.
func (s *shop) aboutComputed() map[int]question {
	spent := func(c *ent.Customer) any { return object{"email": c.Email, "spent": s.spent(c.ID)} }
	superiors := func(e *ent.Employee) any { return object{"email": e.Email, "superiors": s.superiors(e)} }
	return map[int]question{
		2: {
			"what customers have spent", `{ customers(first: 100) { nodes { email spent } } }`, nil,
			object{"customers": nodes(s.customers, spent)},
		},
		3: {
			"those above employees", `{ employees(first: 30) { nodes { email superiors { email reports { totalCount } } } } }`, nil,
			object{"employees": nodes(s.employees, superiors)},
		},
		4: {
			"of people of both kinds",
			`{ people(first: 30) { nodes { email ... on Customer { spent } ... on Employee { superiors { email reports { totalCount } } } } } }`, nil,
			object{"people": nodes(top(30, s.people(s.employees, s.customers)), func(r row) any {
				if r.entity == "Customer" {
					return spent(at(s.customers, r.id))
				}
				return superiors(at(s.employees, r.id))
			})},
		},
	}
}
