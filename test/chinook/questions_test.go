package chinook_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"forge/internal/search"
	"forge/test/chinook/ent"
	"forge/test/gqltest"
)

// question is a query with the answer to it.
type question struct {
	name  string
	query string
	vars  gqltest.Vars
	want  object
}

type object = map[string]any

// nodes returns a connection of all rows, as shown by show.
func nodes[T any](rows []T, show func(T) any) object { return object{"nodes": list(rows, show)} }

func list[T any](rows []T, show func(T) any) []any {
	shown := []any{}
	for _, row := range rows {
		shown = append(shown, show(row))
	}
	return shown
}

// counted is like nodes, with the number of rows.
func counted[T any](rows []T, show func(T) any) object {
	return object{"totalCount": len(rows), "nodes": list(rows, show)}
}

// those returns the rows for which keep is true.
func those[T any](rows []T, keep func(T) bool) []T {
	return slices.DeleteFunc(slices.Clone(rows), func(row T) bool { return !keep(row) })
}

func top[T any](n int, rows []T) []T { return rows[:min(n, len(rows))] }

// by returns the rows in another order. Equal rows stay as they are.
func by[T any](rows []T, compare func(a, b T) int) []T {
	return slices.SortedStableFunc(slices.Values(rows), compare)
}

// at returns the row with a key, of rows in the order of their keys from 1.
func at[T any](rows []T, k key) T { return rows[k-1] }

// when returns what show returns, or nil if there is no key.
func when(k *key, show func(key) any) any {
	if k == nil {
		return nil
	}
	return show(*k)
}

func is(k *key, other key) bool { return k != nil && *k == other }

func (s *shop) albumsOf(artist key) []*ent.Album {
	return those(s.albums, func(a *ent.Album) bool { return a.ArtistID == artist })
}

func (s *shop) tracksOf(album key) []*ent.Track {
	return those(s.tracks, func(t *ent.Track) bool { return is(t.AlbumID, album) })
}

func (s *shop) reportsOf(boss key) []*ent.Employee {
	return those(s.employees, func(e *ent.Employee) bool { return is(e.ReportsToID, boss) })
}

func (s *shop) customersOf(rep key) []*ent.Customer {
	return those(s.customers, func(c *ent.Customer) bool { return is(c.SupportRepID, rep) })
}

func (s *shop) invoicesOf(customer key) []*ent.Invoice {
	return those(s.invoices, func(v *ent.Invoice) bool { return v.CustomerID == customer })
}

func (s *shop) linesOf(invoice key) []*ent.InvoiceLine {
	return those(s.lines, func(l *ent.InvoiceLine) bool { return l.InvoiceID == invoice })
}

func (s *shop) genre(k key) any     { return object{"name": at(s.genres, k).Name} }
func (s *shop) mediaType(k key) any { return object{"name": at(s.mediaTypes, k).Name} }

// withKinds shows a track with its genre and its media type.
func (s *shop) withKinds(t *ent.Track) any {
	return object{"name": t.Name, "milliseconds": t.Milliseconds, "composer": t.Composer,
		"genre": when(t.GenreID, s.genre), "mediaType": s.mediaType(t.MediaTypeID)}
}

const kinds = `name milliseconds composer genre { name } mediaType { name }`

func named(name string) func(*ent.Track) any {
	return func(t *ent.Track) any { return object{name: t.Name} }
}

// questions returns what the tests ask.
func (s *shop) questions() []question {
	return slices.Concat(s.aboutMusic(), s.aboutPlaylists(), s.aboutPeople(), s.aboutSales(), s.aboutKinds(), s.aboutSeveral(),
		s.aboutInterfaces(), s.aboutUnions(), s.aboutNumbers(), s.aboutSearch())
}

func (s *shop) aboutMusic() []question {
	return []question{
		{
			"artists with albums and tracks", `{ artists(first: 8) { nodes { id name albums { totalCount nodes { title tracks(first: 4) { nodes { ` + kinds + ` } } } } } } }`, nil,
			object{"artists": nodes(top(8, s.artists), func(a *ent.Artist) any {
				return object{"id": idOf("artist", a.ID), "name": a.Name, "albums": counted(s.albumsOf(a.ID), func(b *ent.Album) any {
					return object{"title": b.Title, "tracks": nodes(top(4, s.tracksOf(b.ID)), s.withKinds)}
				})}
			})},
		},
		{
			"50 albums of 100 tracks", `{ albums(first: 50) { nodes { title artist { name } tracks(first: 100) { nodes { ` + kinds + ` } } } } }`, nil,
			object{"albums": nodes(top(50, s.albums), func(b *ent.Album) any {
				return object{"title": b.Title, "artist": object{"name": at(s.artists, b.ArtistID).Name},
					"tracks": nodes(top(100, s.tracksOf(b.ID)), s.withKinds)}
			})},
		},
		{
			"the longest tracks of each genre", `{ genres(orderBy: [{field: NAME, direction: DESC}]) { nodes { name
				tracks(first: 3, orderBy: [{field: MILLISECONDS, direction: DESC}]) { totalCount nodes { name milliseconds } } } } }`, nil,
			object{"genres": nodes(by(s.genres, func(a, b *ent.Genre) int { return cmp.Compare(b.Name, a.Name) }), func(g *ent.Genre) any {
				all := by(those(s.tracks, func(t *ent.Track) bool { return is(t.GenreID, g.ID) }), func(a, b *ent.Track) int {
					return cmp.Or(cmp.Compare(b.Milliseconds, a.Milliseconds), cmp.Compare(b.ID, a.ID))
				})
				return object{"name": g.Name, "tracks": object{"totalCount": len(all), "nodes": list(top(3, all), func(t *ent.Track) any {
					return object{"name": t.Name, "milliseconds": t.Milliseconds}
				})}}
			})},
		},
		{
			"long tracks of a genre without a composer", `query($genre: String!) { tracks(first: 50, where: {millisecondsGTE: 200000, composerIsNil: true,
				hasGenreWith: [{name: $genre}], or: [{hasAlbum: false}, {hasMediaTypeWith: [{name: "AAC audio file"}]}]}) { totalCount nodes { name album { title } } } }`,
			gqltest.Vars{"genre": "Jazz"},
			object{"tracks": counted(those(s.tracks, func(t *ent.Track) bool {
				return t.Milliseconds >= 200000 && t.Composer == nil && is(t.GenreID, 2) && (t.AlbumID == nil || t.MediaTypeID == 2)
			}), func(t *ent.Track) any {
				return object{"name": t.Name, "album": when(t.AlbumID, func(k key) any { return object{"title": at(s.albums, k).Title} })}
			})},
		},
		{
			"artists without albums, and those of one title", `{ none: artists(where: {hasAlbums: false}) { totalCount nodes { name } }
				some: artists(where: {hasAlbumsWith: [{titleHasPrefix: "Å"}]}) { nodes { name albums(where: {titleHasPrefix: "Å"}) { totalCount } } } }`, nil,
			object{
				"none": counted(those(s.artists, func(a *ent.Artist) bool { return len(s.albumsOf(a.ID)) == 0 }), func(a *ent.Artist) any { return object{"name": a.Name} }),
				"some": nodes(those(s.artists, func(a *ent.Artist) bool { return len(s.albumsBy(a.ID, "Å")) > 0 }), func(a *ent.Artist) any {
					return object{"name": a.Name, "albums": object{"totalCount": len(s.albumsBy(a.ID, "Å"))}}
				}),
			},
		},
	}
}

// listing returns the playlists that have a track.
func (s *shop) listing(track key) []*ent.Playlist {
	return those(s.playlists, func(p *ent.Playlist) bool { return slices.Contains(s.listed[p.ID], track) })
}

func (s *shop) aboutPlaylists() []question {
	inList := func(p *ent.Playlist) []*ent.Track {
		return those(s.tracks, func(t *ent.Track) bool { return slices.Contains(s.listed[p.ID], t.ID) })
	}
	name := func(p *ent.Playlist) any { return object{"name": p.Name} }
	return []question{
		{
			"playlists with tracks, and the playlists of these", `{ playlists(orderBy: [{field: NAME}]) { nodes { id name
				tracks(first: 5, orderBy: [{field: NAME}]) { totalCount nodes { name playlists { totalCount nodes { name } } album { title } } } } } }`, nil,
			object{"playlists": nodes(by(s.playlists, func(a, b *ent.Playlist) int { return cmp.Compare(a.Name, b.Name) }), func(p *ent.Playlist) any {
				all := by(inList(p), func(a, b *ent.Track) int { return cmp.Compare(a.Name, b.Name) })
				return object{"id": idOf("playlist", p.ID), "name": p.Name, "tracks": object{"totalCount": len(all), "nodes": list(top(5, all), func(t *ent.Track) any {
					return object{"name": t.Name, "playlists": counted(s.listing(t.ID), name),
						"album": when(t.AlbumID, func(k key) any { return object{"title": at(s.albums, k).Title} })}
				})}}
			})},
		},
		{
			"playlists by their tracks, and tracks of no playlist", `{ jazz: playlists(where: {hasTracksWith: [{hasGenreWith: [{name: "Jazz"}], composerIsNil: true}]}) { nodes { name } }
				empty: playlists(where: {hasTracks: false}) { nodes { name } }
				unlisted: tracks(first: 10, where: {not: {hasPlaylistsWith: [{name: "Music"}]}, hasPlaylists: true}) { totalCount nodes { id name } } }`, nil,
			object{
				"jazz": nodes(those(s.playlists, func(p *ent.Playlist) bool {
					return slices.ContainsFunc(inList(p), func(t *ent.Track) bool { return is(t.GenreID, 2) && t.Composer == nil })
				}), name),
				"empty":    nodes(those(s.playlists, func(p *ent.Playlist) bool { return len(inList(p)) == 0 }), name),
				"unlisted": s.unlisted(),
			},
		},
	}
}

// unlisted shows tracks that are in playlists, but in none with the name Music.
func (s *shop) unlisted() object {
	all := those(s.tracks, func(t *ent.Track) bool {
		lists := s.listing(t.ID)
		return len(lists) > 0 && !slices.ContainsFunc(lists, func(p *ent.Playlist) bool { return p.Name == "Music" })
	})
	return object{"totalCount": len(all), "nodes": list(top(10, all), func(t *ent.Track) any { return object{"id": idOf("track", t.ID), "name": t.Name} })}
}

func (s *shop) albumsBy(artist key, prefix string) []*ent.Album {
	return those(s.albumsOf(artist), func(b *ent.Album) bool { return strings.HasPrefix(b.Title, prefix) })
}

func (s *shop) aboutPeople() []question {
	return []question{
		{
			"the tree of employees, downwards", `{ employees(first: 1, where: {hasReportsTo: false}) { nodes { lastName reports(first: 8) { totalCount nodes { lastName hiredOn bornOn
				reports(first: 8, orderBy: [{field: HIRED_ON, direction: DESC}]) { nodes { title reports { totalCount } customers(first: 2) { totalCount nodes { country } } } } } } } } }`, nil,
			object{"employees": nodes(s.employees[:1], func(e *ent.Employee) any {
				return object{"lastName": e.LastName, "reports": counted(s.reportsOf(e.ID), func(e *ent.Employee) any {
					return object{"lastName": e.LastName, "hiredOn": date(e.HiredOn), "bornOn": born(e), "reports": nodes(reversed(s.reportsOf(e.ID)), func(e *ent.Employee) any {
						return object{"title": e.Title, "reports": object{"totalCount": len(s.reportsOf(e.ID))}, "customers": object{
							"totalCount": len(s.customersOf(e.ID)),
							"nodes":      list(top(2, s.customersOf(e.ID)), func(c *ent.Customer) any { return object{"country": c.Country} }),
						}}
					})}
				})}
			})},
		},
		{
			"the tree of employees, upwards", `{ employees(first: 100) { nodes { id reportsTo { id reportsTo { id reportsTo { lastName reportsTo { id } } } } } } }`, nil,
			object{"employees": nodes(s.employees, func(e *ent.Employee) any {
				return object{"id": idOf("employee", e.ID), "reportsTo": when(e.ReportsToID, func(k key) any {
					return object{"id": idOf("employee", k), "reportsTo": when(at(s.employees, k).ReportsToID, func(k key) any {
						return object{"id": idOf("employee", k), "reportsTo": when(at(s.employees, k).ReportsToID, func(k key) any {
							return object{"lastName": at(s.employees, k).LastName, "reportsTo": when(at(s.employees, k).ReportsToID, func(k key) any {
								return object{"id": idOf("employee", k)}
							})}
						})}
					})}
				})}
			})},
		},
		{
			"employees by those around them", `{ bosses: employees(where: {hasReportsWith: [{hasReports: true}]}) { nodes { email } }
				below: employees(where: {hasReportsToWith: [{hasReportsTo: true}], not: {title: "Title 1"}}) { nodes { email title } } }`, nil,
			object{
				"bosses": nodes(those(s.employees, func(e *ent.Employee) bool {
					return slices.ContainsFunc(s.reportsOf(e.ID), func(r *ent.Employee) bool { return len(s.reportsOf(r.ID)) > 0 })
				}), func(e *ent.Employee) any { return object{"email": e.Email} }),
				"below": nodes(those(s.employees, func(e *ent.Employee) bool {
					return e.ReportsToID != nil && at(s.employees, *e.ReportsToID).ReportsToID != nil && e.Title != nil && *e.Title != "Title 1"
				}), func(e *ent.Employee) any { return object{"email": e.Email, "title": e.Title} }),
			},
		},
	}
}

// born shows the day on which an employee was born.
func born(e *ent.Employee) any {
	if e.BornOn == nil {
		return nil
	}
	return date(*e.BornOn)
}

func reversed[T any](rows []T) []T {
	rows = slices.Clone(rows)
	slices.Reverse(rows)
	return rows
}

func (s *shop) aboutSales() []question {
	since := day(300)
	return []question{
		{
			"customers with invoices, lines and tracks", `{ customers(first: 12, orderBy: [{field: COUNTRY}, {field: LAST_NAME, direction: DESC}]) { nodes {
				lastName country company supportRep { email } invoices(first: 3) { totalCount nodes { invoicedAt billingPostalCode total lines { quantity unitPrice track { name album { artist { name } } } } } } } } }`, nil,
			object{"customers": nodes(top(12, by(s.customers, func(a, b *ent.Customer) int {
				return cmp.Or(cmp.Compare(a.Country, b.Country), cmp.Compare(b.LastName, a.LastName), cmp.Compare(b.ID, a.ID))
			})), func(c *ent.Customer) any {
				return object{
					"lastName": c.LastName, "country": c.Country, "company": c.Company,
					"supportRep": when(c.SupportRepID, func(k key) any { return object{"email": at(s.employees, k).Email} }),
					"invoices":   object{"totalCount": len(s.invoicesOf(c.ID)), "nodes": list(top(3, s.invoicesOf(c.ID)), s.invoice)},
				}
			})},
		},
		{
			"invoices of a year with a track of a genre", `query($since: Time!, $until: Time!) { invoices(first: 100, where: {invoicedAtGTE: $since, invoicedAtLT: $until,
				hasLinesWith: [{quantityGTE: 2, hasTrackWith: [{hasGenreWith: [{nameIn: ["Metal", "Rock"]}]}]}]}) { totalCount nodes { id customer { email } } } }`,
			gqltest.Vars{"since": moment(since), "until": moment(since.AddDate(1, 0, 0))},
			object{"invoices": counted(s.invoicesWith(since), func(v *ent.Invoice) any {
				return object{"id": idOf("invoice", v.ID), "customer": object{"email": at(s.customers, v.CustomerID).Email}}
			})},
		},
		{
			"customers by country, with those who bought nothing", `{ customers(first: 100, where: {countryIn: ["Norway", "日本"], companyIsNil: true}) { totalCount nodes { firstName country } }
				idle: customers(first: 100, where: {not: {hasInvoicesWith: [{invoicedAtGTE: "2003-01-01T00:00:00Z"}]}}) { totalCount nodes { email invoices(last: 1) { nodes { invoicedAt } } } } }`, nil,
			object{
				"customers": counted(those(s.customers, func(c *ent.Customer) bool {
					return (c.Country == "Norway" || c.Country == "日本") && c.Company == nil
				}), func(c *ent.Customer) any { return object{"firstName": c.FirstName, "country": c.Country} }),
				"idle": counted(those(s.customers, func(c *ent.Customer) bool {
					return !slices.ContainsFunc(s.invoicesOf(c.ID), func(v *ent.Invoice) bool { return v.InvoicedAt.Year() >= 2003 })
				}), func(c *ent.Customer) any {
					return object{"email": c.Email, "invoices": nodes(top(1, reversed(s.invoicesOf(c.ID))), func(v *ent.Invoice) any {
						return object{"invoicedAt": moment(v.InvoicedAt)}
					})}
				}),
			},
		},
	}
}

// aboutKinds asks by amounts, by numbers of 64 bits, by days, and by an entity without a type.
func (s *shop) aboutKinds() []question {
	return []question{
		{
			"tracks by price and size", `{ dear: tracks(first: 4, orderBy: [{field: UNIT_PRICE, direction: DESC}, {field: BYTES, direction: DESC}]) { nodes { unitPrice bytes } }
				cheap: tracks(first: 8, where: {unitPriceLTE: "2.000", bytesGT: "6000000000000", not: {unitPrice: 1.99}}) { totalCount nodes { id unitPrice bytes } } }`, nil,
			object{
				"dear": nodes(top(4, by(s.tracks, func(a, b *ent.Track) int {
					return cmp.Or(b.UnitPrice.Cmp(a.UnitPrice), cmp.Compare(size(b), size(a)), cmp.Compare(b.ID, a.ID))
				})), priced),
				"cheap": s.cheap(),
			},
		},
		{
			"invoices by total, employees by day", `{ invoices(first: 5, orderBy: [{field: TOTAL, direction: DESC}], where: {totalGTE: "9.90"}) { totalCount nodes { total } }
				employees(where: {hiredOnGTE: "2003-03-01"}) { nodes { email hiredOn bornOn } } }`, nil,
			object{
				"invoices": s.largest(),
				"employees": nodes(those(s.employees, func(e *ent.Employee) bool { return date(e.HiredOn) >= "2003-03-01" }), func(e *ent.Employee) any {
					return object{"email": e.Email, "hiredOn": date(e.HiredOn), "bornOn": born(e)}
				}),
			},
		},
		{
			"albums by their labels, which have no type", `{ albums(first: 100, where: {hasLabelWith: [{nameIn: ["4AD", "Ünnütz"]}]}) { totalCount nodes { title } }
				none: albums(where: {hasLabel: false}) { totalCount } tracks(where: {hasAlbumWith: [{hasLabelWith: [{name: "Harvest"}]}]}) { totalCount } }`, nil,
			object{
				"albums": counted(those(s.albums, func(b *ent.Album) bool { return is(b.LabelID, 3) || is(b.LabelID, 4) }), func(b *ent.Album) any { return object{"title": b.Title} }),
				"none":   object{"totalCount": len(those(s.albums, func(b *ent.Album) bool { return b.LabelID == nil }))},
				"tracks": object{"totalCount": len(those(s.tracks, func(t *ent.Track) bool { return t.AlbumID != nil && is(at(s.albums, *t.AlbumID).LabelID, 1) }))},
			},
		},
	}
}

// size returns the size of a track. It is less than any if it is not known: NULLs come last, from
// the largest on.
func size(t *ent.Track) int64 {
	if t.Bytes == nil {
		return -1
	}
	return *t.Bytes
}

func priced(t *ent.Track) any {
	shown := object{"unitPrice": money(t.UnitPrice), "bytes": nil}
	if t.Bytes != nil {
		shown["bytes"] = fmt.Sprint(*t.Bytes)
	}
	return shown
}

func (s *shop) cheap() object {
	all := those(s.tracks, func(t *ent.Track) bool {
		return t.UnitPrice.LessThanOrEqual(amount("2")) && size(t) > 6_000_000_000_000 && !t.UnitPrice.Equal(amount("1.99"))
	})
	return object{"totalCount": len(all), "nodes": list(top(8, all), func(t *ent.Track) any {
		shown := priced(t).(object)
		shown["id"] = idOf("track", t.ID)
		return shown
	})}
}

func (s *shop) largest() object {
	all := by(those(s.invoices, func(v *ent.Invoice) bool { return v.Total.GreaterThanOrEqual(amount("9.90")) }), func(a, b *ent.Invoice) int {
		return cmp.Or(b.Total.Cmp(a.Total), cmp.Compare(b.ID, a.ID))
	})
	return object{"totalCount": len(all), "nodes": list(top(5, all), func(v *ent.Invoice) any { return object{"total": money(v.Total)} })}
}

// invoice shows an invoice with its lines.
func (s *shop) invoice(v *ent.Invoice) any {
	return object{"invoicedAt": moment(v.InvoicedAt), "billingPostalCode": v.BillingPostalCode, "total": money(v.Total), "lines": list(s.linesOf(v.ID), func(l *ent.InvoiceLine) any {
		track := at(s.tracks, l.TrackID)
		return object{"quantity": l.Quantity, "unitPrice": money(l.UnitPrice), "track": object{"name": track.Name, "album": when(track.AlbumID, func(k key) any {
			return object{"artist": object{"name": at(s.artists, at(s.albums, k).ArtistID).Name}}
		})}}
	})}
}

// invoicesWith returns the invoices of a year with several copies of a track of metal or rock.
func (s *shop) invoicesWith(since time.Time) []*ent.Invoice {
	return those(s.invoices, func(v *ent.Invoice) bool {
		return !v.InvoicedAt.Before(since) && v.InvoicedAt.Before(since.AddDate(1, 0, 0)) && slices.ContainsFunc(s.linesOf(v.ID), func(l *ent.InvoiceLine) bool {
			genre := at(s.tracks, l.TrackID).GenreID
			return l.Quantity >= 2 && (is(genre, 1) || is(genre, 3))
		})
	})
}

func (s *shop) aboutSeveral() []question {
	return []question{
		{
			"several root fields, one by ID", `query($album: ID!, $artist: ID!) { album(id: $album) { title artist { name } tracks(last: 2) { totalCount nodes { name } } }
				tracks(where: {hasAlbumWith: [{artistId: $artist}]}) { totalCount } missing: track(id: "` + idOf("track", 9999) + `") { name }
				mediaTypes { totalCount nodes { id name } } playlists { totalCount } }`,
			gqltest.Vars{"album": idOf("album", 7), "artist": idOf("artist", 4)},
			object{
				"album": object{"title": s.albums[6].Title, "artist": object{"name": at(s.artists, s.albums[6].ArtistID).Name}, "tracks": object{
					"totalCount": len(s.tracksOf(7)), "nodes": list(s.tracksOf(7)[len(s.tracksOf(7))-2:], named("name")),
				}},
				"tracks": object{"totalCount": len(those(s.tracks, func(t *ent.Track) bool {
					return t.AlbumID != nil && at(s.albums, *t.AlbumID).ArtistID == 4
				}))},
				"missing":    nil,
				"mediaTypes": counted(s.mediaTypes, func(m *ent.MediaType) any { return object{"id": idOf("mediatype", m.ID), "name": m.Name} }),
				"playlists":  object{"totalCount": len(s.playlists)},
			},
		},
	}
}

// groupsOf groups rows, and returns a list of what show makes of each group, in the order of their
// keys.
func groupsOf[T any](rows []T, key func(T) string, show func(key string, group []T) any) []any {
	groups := map[string][]T{}
	for _, row := range rows {
		groups[key(row)] = append(groups[key(row)], row)
	}
	shown := []any{}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		shown = append(shown, show(name, groups[name]))
	}
	return shown
}

// aboutNumbers asks for aggregates and groups, also along a many-to-many edge.
func (s *shop) aboutNumbers() []question {
	total := func(invoices []*ent.Invoice) string {
		sum := decimal.Zero
		for _, v := range invoices {
			sum = sum.Add(v.Total)
		}
		return sum.StringFixed(2)
	}
	month := func(v *ent.Invoice) string {
		return time.Date(v.InvoicedAt.UTC().Year(), v.InvoicedAt.UTC().Month(), 1, 0, 0, 0, 0, time.UTC).Format(time.RFC3339)
	}
	country := func(v *ent.Invoice) string { return v.BillingCountry }
	inList := func(p *ent.Playlist) []*ent.Track {
		return those(s.tracks, func(t *ent.Track) bool { return slices.Contains(s.listed[p.ID], t.ID) })
	}
	return []question{
		{
			"invoices by month", `{ invoices { aggregate { count sum { total } } groups(by: [{field: INVOICED_AT, bucket: MONTH}], first: 100) { key { invoicedAt } aggregate { count sum { total } } } } }`, nil,
			object{"invoices": object{
				"aggregate": object{"count": len(s.invoices), "sum": object{"total": total(s.invoices)}},
				"groups": groupsOf(s.invoices, month, func(key string, group []*ent.Invoice) any {
					return object{"key": object{"invoicedAt": key}, "aggregate": object{"count": len(group), "sum": object{"total": total(group)}}}
				}),
			}},
		},
		{
			"invoices of customers by country", `{ customers(first: 20) { nodes { lastName invoices(first: 1) { totalCount groups(by: [{field: BILLING_COUNTRY}]) { key { billingCountry } aggregate { sum { total } } } } } } }`, nil,
			object{"customers": nodes(top(20, s.customers), func(c *ent.Customer) any {
				all := s.invoicesOf(c.ID)
				return object{"lastName": c.LastName, "invoices": object{"totalCount": len(all), "groups": groupsOf(all, country, func(key string, group []*ent.Invoice) any {
					return object{"key": object{"billingCountry": key}, "aggregate": object{"sum": object{"total": total(group)}}}
				})}}
			})},
		},
		{
			"genres of playlists", `{ playlists(first: 8) { nodes { name tracks(first: 1) { aggregate { count countDistinct(field: GENRE) } groups(by: [{field: GENRE}], first: 50) { key { genre { name } } aggregate { count } } } } } }`, nil,
			object{"playlists": nodes(top(8, s.playlists), func(p *ent.Playlist) any {
				all := inList(p)
				genre := func(t *ent.Track) string {
					if t.GenreID == nil {
						return "none" // after the numbers
					}
					return fmt.Sprintf("%06d", *t.GenreID)
				}
				kinds := map[string]bool{}
				for _, t := range all {
					if t.GenreID != nil {
						kinds[genre(t)] = true
					}
				}
				return object{"name": p.Name, "tracks": object{"aggregate": object{"count": len(all), "countDistinct": len(kinds)},
					"groups": groupsOf(all, genre, func(_ string, group []*ent.Track) any {
						return object{"key": object{"genre": when(group[0].GenreID, s.genre)}, "aggregate": object{"count": len(group)}}
					})}}
			})},
		},
	}
}

// aboutSearch searches tracks as one types, with what is asked of those that are found.
func (s *shop) aboutSearch() []question {
	const word, begin = "ada", "a"
	fits := func(text, word string) bool { return slices.Contains(search.Split(text), word) }
	found := those(s.tracks, func(t *ent.Track) bool {
		return slices.ContainsFunc(search.Split(t.Name+" "+of(t.Composer)), func(w string) bool { return strings.HasPrefix(w, begin) })
	})
	best := func(word string) []*ent.Track {
		rank := func(t *ent.Track) (n int) {
			if fits(t.Name, word) {
				n = 2
			}
			if fits(of(t.Composer), word) {
				n++
			}
			return n
		}
		return by(those(found, func(t *ent.Track) bool { return rank(t) > 0 }), func(a, b *ent.Track) int { return cmp.Compare(rank(b), rank(a)) })
	}
	media := func(t *ent.Track) string { return fmt.Sprintf("%06d", t.MediaTypeID) }
	return []question{
		{
			"tracks that a search finds", `query($text: String!) { tracks(search: $text, first: 30) { totalCount nodes { ` + kinds + ` }
				aggregate { count max { milliseconds } } groups(by: [{field: MEDIA_TYPE}]) { key { mediaType { name } } aggregate { count } } } }`, gqltest.Vars{"text": begin},
			object{"tracks": object{
				"totalCount": len(found), "nodes": list(top(30, found), s.withKinds),
				"aggregate": object{"count": len(found), "max": object{"milliseconds": slices.MaxFunc(found, func(a, b *ent.Track) int {
					return cmp.Compare(a.Milliseconds, b.Milliseconds)
				}).Milliseconds}},
				"groups": groupsOf(found, media, func(_ string, group []*ent.Track) any {
					return object{"key": object{"mediaType": s.mediaType(group[0].MediaTypeID)}, "aggregate": object{"count": len(group)}}
				}),
			}},
		},
		{
			"tracks in the order of how well they fit", `query($text: String!) { tracks(search: $text, first: 40, orderBy: [{field: RELEVANCE}]) { nodes { name composer } } }`, gqltest.Vars{"text": word},
			object{"tracks": nodes(top(40, best(word)), func(t *ent.Track) any { return object{"name": t.Name, "composer": t.Composer} })},
		},
		{
			"tracks of albums that a search finds", `query($text: String!) { albums(first: 12) { nodes { title tracks(search: $text, first: 3) { totalCount nodes { name } } } } }`, gqltest.Vars{"text": strings.ToUpper(begin)},
			object{"albums": nodes(top(12, s.albums), func(a *ent.Album) any {
				all := those(found, func(t *ent.Track) bool { return is(t.AlbumID, a.ID) })
				return object{"title": a.Title, "tracks": object{"totalCount": len(all), "nodes": list(top(3, all), named("name"))}}
			})},
		},
	}
}

// of returns a text, or "" for NULL.
func of(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
