package chinook_test

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"forge/test/chinook/ent"
)

// shop is the contents of the database. The tests compute the expected answers from it.
type shop struct {
	artists    []*ent.Artist
	labels     []*ent.Label
	albums     []*ent.Album
	genres     []*ent.Genre
	mediaTypes []*ent.MediaType
	tracks     []*ent.Track
	playlists  []*ent.Playlist
	employees  []*ent.Employee
	customers  []*ent.Customer
	invoices   []*ent.Invoice
	lines      []*ent.InvoiceLine
	listed     map[key][]key // the tracks of each playlist, in the order of their keys
}

// key is the type of the keys.
type key = int

// idOf returns the ID of a key, as clients see it.
func idOf(prefix string, k key) string { return fmt.Sprintf("%s_%d", prefix, k) }

// These say how large the shop is.
const (
	artists        = 25
	albums         = 60
	tracksAnAlbum  = 9
	largeAlbums    = 2 // these have tracksOfALarge tracks
	tracksOfALarge = 110
	customers      = 59
	invoices       = 240
)

// newShop returns the contents of the database: some 750 tracks with all that belongs to them, with
// NULLs, equal values, and rows that have no related ones. It is always the same shop.
func newShop() *shop {
	s := &shop{listed: map[key][]key{}}
	for i := range artists {
		s.artists = append(s.artists, &ent.Artist{ID: i + 1, Name: names[i%len(names)] + suffix(i/len(names))})
	}
	for i, name := range []string{"Harvest", "Blue Note", "4AD", "Ünnütz"} {
		s.labels = append(s.labels, &ent.Label{ID: i + 1, Name: name})
	}
	for i, name := range []string{"Rock", "Jazz", "Metal", "Classical", "Bossa Nova", "Spoken Word"} {
		s.genres = append(s.genres, &ent.Genre{ID: i + 1, Name: name})
	}
	for i, name := range []string{"MPEG audio file", "AAC audio file", "Protected MPEG-4 video file"} {
		s.mediaTypes = append(s.mediaTypes, &ent.MediaType{ID: i + 1, Name: name})
	}
	for i := range albums {
		a := &ent.Album{ID: i + 1, Title: fmt.Sprintf("%s no. %d", names[(i*7)%len(names)], i%10), ArtistID: i*3%(artists-2) + 1}
		if i%4 > 0 {
			a.LabelID = new(i%len(s.labels) + 1)
		}
		s.albums = append(s.albums, a)
		tracks := tracksAnAlbum
		if i < largeAlbums {
			tracks = tracksOfALarge
		}
		for j := range tracks {
			s.addTrack(a.ID, i, j)
		}
	}
	s.addPlaylists()
	s.addPeople()
	s.addInvoices()
	return s
}

func (s *shop) addTrack(album key, i, j int) {
	n := len(s.tracks)
	t := &ent.Track{ID: n + 1, Name: fmt.Sprintf("%s %d", names[(i+j*5)%len(names)], j), Milliseconds: int32(60_000 + n*7919%400_000),
		AlbumID: &album, UnitPrice: prices[n%len(prices)], MediaTypeID: n%3/2 + n%7/6 + 1}
	if n%5 > 0 {
		t.Bytes = new(int64(n) * n64)
	}
	if n%11 == 10 {
		t.AlbumID = nil // a single
	}
	if n%6 > 0 {
		t.GenreID = new((i+j)%5 + 1) // the last genre has no tracks
	}
	if n%3 > 0 {
		t.Composer = new(names[n%len(names)] + " / " + names[(n+3)%len(names)])
	}
	s.tracks = append(s.tracks, t)
}

// addPlaylists adds playlists. The last is empty, and some tracks are in none.
func (s *shop) addPlaylists() {
	for i, name := range []string{"Music", "Classical", "On-The-Go 1", "90’s Music", "Music", "Audiobooks"} {
		p := &ent.Playlist{ID: i + 1, Name: name}
		s.playlists = append(s.playlists, p)
		for n, t := range s.tracks {
			if i < 5 && n%13 > 0 && n%(i*4+3) == 0 {
				s.listed[p.ID] = append(s.listed[p.ID], t.ID)
			}
		}
	}
}

// addPeople adds a tree of employees that is four deep, and customers. The last two customers have
// nobody who supports them.
func (s *shop) addPeople() {
	above := []int{0, 1, 1, 2, 2, 2, 3, 3, 7}
	for i, boss := range above {
		e := &ent.Employee{ID: i + 1, LastName: names[i%len(names)], FirstName: names[(i+4)%len(names)],
			Email: fmt.Sprintf("employee%d@shop.example", i), HiredOn: day(i * 97)}
		if i%4 > 0 {
			e.Title = new(fmt.Sprintf("Title %d", i%3))
		}
		if i%3 > 0 {
			e.BornOn = new(day(-365*30 - i*100))
		}
		if boss > 0 {
			e.ReportsToID = new(boss)
		}
		s.employees = append(s.employees, e)
	}
	for i := range customers {
		c := &ent.Customer{ID: i + 1, FirstName: names[i%len(names)], LastName: names[(i*5+1)%len(names)],
			Country: countries[i%len(countries)], Email: fmt.Sprintf("customer%d@mail.example", i)}
		if i%5 == 0 {
			c.Company = new(names[i%len(names)] + " & Sons")
		}
		if i < customers-2 {
			c.SupportRepID = new(4 + i%3)
		}
		s.customers = append(s.customers, c)
	}
}

// addInvoices adds invoices with their lines. Some customers have none, and some invoices have no
// lines.
func (s *shop) addInvoices() {
	for i := range invoices {
		c := s.customers[i*i%(customers-9)]
		v := &ent.Invoice{ID: i + 1, InvoicedAt: day(i * 3).Add(time.Duration(i) * 12_345_678 * time.Microsecond), BillingCountry: c.Country, CustomerID: c.ID, Total: decimal.Zero}
		if i%3 > 0 {
			v.BillingPostalCode = new(fmt.Sprintf("%05d", i*37))
		}
		s.invoices = append(s.invoices, v)
		for j := range i % 6 {
			t := s.tracks[(i*31+j*17)%(len(s.tracks)-40)]
			l := &ent.InvoiceLine{ID: len(s.lines) + 1, Quantity: int32(1 + (i+j)%3), UnitPrice: t.UnitPrice, InvoiceID: v.ID, TrackID: t.ID}
			s.lines = append(s.lines, l)
			v.Total = v.Total.Add(l.UnitPrice.Mul(decimal.NewFromInt32(l.Quantity)))
		}
	}
}

var (
	names = []string{"Ada", "Åse", "béla", "Chico \"C\"", "Dvořák", "Emilíana", "Fela", "Grace", "Ítalo", "João", "Kate", "Łukasz",
		"Miles", "Nina", "O’Hara", "Ω-Band", "Zoë <3", "渡辺", "🎸 Heroes"}
	// prices are amounts whose texts sort in another order than their values.
	prices    = []decimal.Decimal{amount("0.99"), amount("1.99"), amount("10.50"), amount("2"), amount("0.10")}
	countries = []string{"Brazil", "Germany", "Norway", "Côte d’Ivoire", "日本"}
)

// n64 makes numbers of bytes that 32 bits cannot hold.
const n64 = 9_876_543_210

func amount(text string) decimal.Decimal { return decimal.RequireFromString(text) }

func suffix(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" %d", n)
}

// day returns the start of a day, counted from one in 2002.
func day(n int) time.Time { return time.Date(2002, 4, 1+n, 0, 0, 0, 0, time.UTC) }
