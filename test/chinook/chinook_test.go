// Package chinook tests the framework with an application that is not the demo: a shop for digital
// music, like the sample database Chinook. It has entities, a schema and resolvers of its own.
package chinook_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/urfave/cli/v3"

	"forge/internal/application"
	"forge/internal/database"
	"forge/internal/gqlexec"
	"forge/internal/migrator/dev"
	"forge/internal/settings"
	"forge/internal/unit"
	"forge/internal/viewer"
	"forge/test/chinook/ent"
	"forge/test/chinook/ent/migrate"
	"forge/test/chinook/graph"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// newClient returns a client of the shop's API on the empty database at url, which it fills with s.
// The limits are those of a server whose settings say nothing of them.
func newClient(t *testing.T, url string, s *shop) *gqltest.Client {
	t.Helper()
	db, err := database.Open(url, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := dev.Create(t.Context(), db.DB, db.Dialect, dev.Schema{Tables: migrate.Tables, Objects: application.Objects(ent.Entities)}); err != nil {
		t.Fatal(err)
	}
	u := unit.New(db, unit.Write)
	defer u.Rollback()
	if err := s.store(viewer.NewContext(t.Context(), viewer.System), ent.UnitClient(u)); err != nil {
		t.Fatal(err)
	}
	if err := u.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	usual, err := settings.Load(&cli.Command{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return gqltest.NewHandler(t, gqlexec.New(graph.API(), db, gqlexec.Options{Development: true, Limits: gqlexec.Limits{
		Depth: usual.MaxDepth, Aliases: usual.MaxAliases, RootFields: usual.MaxRootFields, Directives: usual.MaxDirectives,
		Cost: usual.MaxCost, Tokens: usual.MaxTokens, AnswerBytes: usual.MaxAnswerBytes,
	}}, slog.New(slog.NewTextHandler(t.Output(), nil))))
}

// store stores the shop.
func (s *shop) store(ctx context.Context, c *ent.Client) error {
	for _, e := range []error{
		c.Artist.MapCreateBulk(s.artists, func(create *ent.ArtistCreate, i int) {
			create.SetID(s.artists[i].ID).SetName(s.artists[i].Name)
		}).Exec(ctx),
		c.Label.MapCreateBulk(s.labels, func(create *ent.LabelCreate, i int) {
			create.SetID(s.labels[i].ID).SetName(s.labels[i].Name)
		}).Exec(ctx),
		c.Album.MapCreateBulk(s.albums, func(create *ent.AlbumCreate, i int) {
			a := s.albums[i]
			create.SetID(a.ID).SetTitle(a.Title).SetArtistID(a.ArtistID).SetNillableLabelID(a.LabelID)
		}).Exec(ctx),
		c.Genre.MapCreateBulk(s.genres, func(create *ent.GenreCreate, i int) {
			create.SetID(s.genres[i].ID).SetName(s.genres[i].Name)
		}).Exec(ctx),
		c.MediaType.MapCreateBulk(s.mediaTypes, func(create *ent.MediaTypeCreate, i int) {
			create.SetID(s.mediaTypes[i].ID).SetName(s.mediaTypes[i].Name)
		}).Exec(ctx),
		c.Track.MapCreateBulk(s.tracks, func(create *ent.TrackCreate, i int) {
			t := s.tracks[i]
			create.SetID(t.ID).SetName(t.Name).SetNillableComposer(t.Composer).SetMilliseconds(t.Milliseconds).SetNillableBytes(t.Bytes).SetUnitPrice(t.UnitPrice).
				SetNillableAlbumID(t.AlbumID).SetNillableGenreID(t.GenreID).SetMediaTypeID(t.MediaTypeID)
		}).Exec(ctx),
		c.Playlist.MapCreateBulk(s.playlists, func(create *ent.PlaylistCreate, i int) {
			p := s.playlists[i]
			create.SetID(p.ID).SetName(p.Name).AddTrackIDs(s.listed[p.ID]...)
		}).Exec(ctx),
		c.Employee.MapCreateBulk(s.employees, func(create *ent.EmployeeCreate, i int) {
			e := s.employees[i]
			create.SetID(e.ID).SetLastName(e.LastName).SetFirstName(e.FirstName).SetNillableTitle(e.Title).SetEmail(e.Email).
				SetNillableBornOn(e.BornOn).SetHiredOn(e.HiredOn).SetNillableReportsToID(e.ReportsToID)
		}).Exec(ctx),
		c.Customer.MapCreateBulk(s.customers, func(create *ent.CustomerCreate, i int) {
			p := s.customers[i]
			create.SetID(p.ID).SetFirstName(p.FirstName).SetLastName(p.LastName).SetNillableCompany(p.Company).SetCountry(p.Country).
				SetEmail(p.Email).SetNillableSupportRepID(p.SupportRepID)
		}).Exec(ctx),
		c.Invoice.MapCreateBulk(s.invoices, func(create *ent.InvoiceCreate, i int) {
			v := s.invoices[i]
			create.SetID(v.ID).SetInvoicedAt(v.InvoicedAt).SetTotal(v.Total).SetBillingCountry(v.BillingCountry).
				SetNillableBillingPostalCode(v.BillingPostalCode).SetCustomerID(v.CustomerID)
		}).Exec(ctx),
		c.InvoiceLine.MapCreateBulk(s.lines, func(create *ent.InvoiceLineCreate, i int) {
			l := s.lines[i]
			create.SetID(l.ID).SetQuantity(l.Quantity).SetUnitPrice(l.UnitPrice).SetInvoiceID(l.InvoiceID).SetTrackID(l.TrackID)
		}).Exec(ctx),
	} {
		if e != nil {
			return e
		}
	}
	return nil
}

// TestQueries compares the answers to queries with what plain code finds in the rows. On PostgreSQL
// each takes one statement, unless code computes some of it. The answers of the two databases are
// the same, byte for byte.
func TestQueries(t *testing.T) {
	t.Parallel()
	s := newShop()
	lite := newClient(t, dbtest.EmptySQLite(t), s)
	var postgres *gqltest.Client
	if !testing.Short() {
		postgres = newClient(t, dbtest.EmptyPostgres(t), s)
	}
	for _, q := range s.questions() {
		t.Run(q.name, func(t *testing.T) { q.ask(t, lite, postgres, 1) })
	}
	for statements, q := range s.aboutComputed() {
		t.Run("computed fields: "+q.name, func(t *testing.T) { q.ask(t, lite, postgres, statements) })
	}
}

// ask compares the answer of both databases with the one that is wanted, and the number of
// statements on PostgreSQL. postgres may be nil.
func (q question) ask(t *testing.T, lite, postgres *gqltest.Client, statements int) {
	got := lite.Must(q.query, q.vars)
	if want := asJSON(t, q.want); !reflect.DeepEqual(got.Data, want) {
		text, _ := json.Marshal(want)
		t.Fatalf("got\n%.3000s\nwant\n%.3000s", got.RawData(), text)
	}
	if len(got.RawData()) < 200 {
		t.Errorf("that is too little to tell anything: %s", got)
	}
	if postgres == nil {
		return
	}
	other := postgres.Must(q.query, q.vars)
	for tries := 0; tries < 5 && other.Statements() > statements; tries++ {
		other = postgres.Must(q.query, q.vars) // on a busy machine, a dataloader may wait too short for all keys
	}
	if n := other.Statements(); n != statements {
		t.Errorf("%s: %d statements, want %d", q.query, n, statements)
	}
	if other.RawData() != got.RawData() {
		t.Errorf("SQLite:\n%.3000s\nPostgreSQL:\n%.3000s", got.RawData(), other.RawData())
	}
}

// asJSON returns a value as JSON has it.
func asJSON(t *testing.T, value any) (decoded any) {
	t.Helper()
	b, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal(b, &decoded)
	}
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}

// TestPagesCoverAllRows walks through the rows of one entity and of several by cursors, in orders
// with equal values.
func TestPagesCoverAllRows(t *testing.T) {
	t.Parallel()
	s := newShop()
	dbtest.Each(t, func(t *testing.T, url string) {
		c := newClient(t, emptied(t, url), s)
		for _, order := range []string{"{field: NAME}", "{field: NAME, direction: DESC}, {field: MILLISECONDS}", "{field: UNIT_PRICE, direction: DESC}", "{field: BYTES}"} {
			walk(t, c, "tracks", order, 97, len(s.tracks))
		}
		for _, order := range []string{"", "{field: LAST_NAME}", "{field: LAST_NAME, direction: DESC}", "{field: EMAIL, direction: DESC}, {field: LAST_NAME}"} {
			walk(t, c, "people", order, 7, len(s.employees)+len(s.customers))
		}
		walk(t, c, "shelves", "{field: NAME, direction: DESC}", 4, len(s.shelves()))
	})
}

// walk reads all rows of a connection in pages of a size, forwards and backwards. Each row has to
// be there once, and in the same place both ways.
func walk(t *testing.T, c *gqltest.Client, field, order string, size, rows int) {
	t.Helper()
	var ways [2][]string
	for i, way := range []struct{ size, cursor, more, next string }{{"first", "after", "hasNextPage", "endCursor"}, {"last", "before", "hasPreviousPage", "startCursor"}} {
		at := any(nil)
		for more := true; more; {
			got := c.Must(fmt.Sprintf(`query($at: Cursor) { all: %s(%s: %d, %s: $at, orderBy: [%s]) { totalCount nodes { ... on Node { id } } pageInfo { %s %s } } }`,
				field, way.size, size, way.cursor, order, way.more, way.next), gqltest.Vars{"at": at})
			if got.Number("all.totalCount") != rows {
				t.Fatalf("totalCount of %d %s in %.300s", rows, field, got)
			}
			var page []string
			for _, node := range got.At("all.nodes").([]any) {
				page = append(page, node.(map[string]any)["id"].(string))
			}
			if i == 1 {
				page = reversed(page)
			}
			ways[i] = append(ways[i], page...)
			more, at = got.At("all.pageInfo."+way.more) == true, got.At("all.pageInfo."+way.next)
		}
	}
	once := slices.Compact(slices.Sorted(slices.Values(ways[0])))
	if len(once) != rows || !slices.Equal(ways[0], reversed(ways[1])) {
		t.Errorf("%s by %s: %d of %d rows; forwards %v, backwards %v", field, order, len(once), rows, ways[0], ways[1])
	}
}

// emptied returns the URL of a database without tables, of the same kind.
func emptied(t *testing.T, url string) string {
	if strings.HasPrefix(url, "sqlite") {
		return dbtest.EmptySQLite(t)
	}
	return dbtest.EmptyPostgres(t)
}

// moment returns a time as the API shows it.
func moment(at time.Time) string { return at.Format(time.RFC3339Nano) }

// date returns a day as the API shows it.
func date(at time.Time) string { return at.Format(time.DateOnly) }

// money returns an amount as the API shows it.
func money(amount decimal.Decimal) string { return amount.StringFixed(2) }

// TestMalformedIDs sends IDs without a key. The example is of the type that the prefix tells.
func TestMalformedIDs(t *testing.T) {
	t.Parallel()
	c := newClient(t, dbtest.EmptySQLite(t), newShop())
	for id, want := range map[string]string{"customer_": "customer_42", "nothing_": "artist_42"} {
		got := c.Send(t.Context(), `{ node(id: "`+id+`") { id } }`, nil)
		if !strings.Contains(got.Body, "one looks like "+want) {
			t.Errorf("%s: %s, want an example like %s", id, got.Body, want)
		}
	}
}
