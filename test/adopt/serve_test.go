package adopt

import (
	"database/sql"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"forge/test/gqltest"
	"forge/test/process"
)

// compared are queries, with SQL that returns the same answer as JSON. Mutations come after them.
var compared = map[string][]struct{ query, sql string }{
	"music.sqlite": {
		{`{ tracks { nodes { id name unitPrice bytes album { title artist { name } } } } }`,
			`SELECT json_object('tracks', json_object('nodes', json_group_array(json_object('id', 'track_' || t.TrackId, 'name', t.Name, 'unitPrice', printf('%.2f', t.UnitPrice), 'bytes', CAST(t.Bytes AS text),
 'album', CASE WHEN a.AlbumId IS NOT NULL THEN json_object('title', a.Title, 'artist', json_object('name', r.Name)) END)))) FROM Track t LEFT JOIN Album a USING (AlbumId) LEFT JOIN Artist r USING (ArtistId)`},
		{`{ tracks { aggregate { count sum { unitPrice } } } invoices { nodes { invoiceDate customer { email } } } }`,
			`SELECT json_object('tracks', json_object('aggregate', json_object('count', (SELECT count(*) FROM Track), 'sum', json_object('unitPrice', (SELECT printf('%.2f', sum(UnitPrice)) FROM Track)))),
 'invoices', json_object('nodes', (SELECT json_group_array(json_object('invoiceDate', InvoiceDate, 'customer', json_object('email', Email))) FROM Invoice JOIN Customer USING (CustomerId))))`},
		{`mutation { createTrack(input: {name: "New", mediaTypeId: "mediatype_1", milliseconds: 5, unitPrice: "12.34", playlists: {connect: ["playlist_3"]}}) { track { name unitPrice } } }`,
			`SELECT json_object('createTrack', json_object('track', json_object('name', Name, 'unitPrice', printf('%.2f', UnitPrice)))) FROM Track JOIN PlaylistTrack USING (TrackId) WHERE PlaylistId = 3`},
		{`mutation { deleteArtist(id: "artist_3") { deletedId } }`, `SELECT json_object('deleteArtist', json_object('deletedId', 'artist_3')) WHERE NOT EXISTS (SELECT 1 FROM Artist WHERE ArtistId = 3)`},
	},
	"music.postgres": {
		{`{ tracks(orderBy: [{field: NAME}]) { nodes { id name unitPrice bytes composer album { title artist { name } } playlists { nodes { name } } } } }`,
			`SELECT json_build_object('tracks', json_build_object('nodes', json_agg(json_build_object('id', 'track_' || track_id, 'name', t.name, 'unitPrice', unit_price::text, 'bytes', bytes::text, 'composer', composer,
 'album', CASE WHEN a.album_id IS NOT NULL THEN json_build_object('title', title, 'artist', json_build_object('name', r.name)) END,
 'playlists', json_build_object('nodes', coalesce((SELECT json_agg(json_build_object('name', p.name) ORDER BY p.playlist_id) FROM playlist_track JOIN playlist p USING (playlist_id) WHERE track_id = t.track_id), '[]'))) ORDER BY t.name)))
 FROM track t LEFT JOIN album a USING (album_id) LEFT JOIN artist r USING (artist_id)`},
		{`{ employees { nodes { lastName hireDate reportsTo { lastName } reports { totalCount } } } }`,
			`SELECT json_build_object('employees', json_build_object('nodes', json_agg(json_build_object('lastName', e.last_name, 'hireDate', to_char(e.hire_date, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
 'reportsTo', CASE WHEN m.last_name IS NOT NULL THEN json_build_object('lastName', m.last_name) END, 'reports', json_build_object('totalCount', (SELECT count(*) FROM employee WHERE reports_to = e.employee_id))) ORDER BY e.employee_id)))
 FROM employee e LEFT JOIN employee m ON m.employee_id = e.reports_to`},
		{`{ invoices { groups(by: [{field: CUSTOMER}]) { key { customer { email } } aggregate { sum { total } } } } }`,
			`SELECT json_build_object('invoices', json_build_object('groups', json_agg(json_build_object('key', json_build_object('customer', json_build_object('email', email)), 'aggregate', json_build_object('sum', json_build_object('total', total::text))) ORDER BY customer_id)))
 FROM (SELECT customer_id, sum(total) AS total FROM invoice GROUP BY 1) i JOIN customer USING (customer_id)`},
		{`mutation { createInvoice(input: {customerId: "customer_3", invoiceLines: {create: [{trackId: "track_1", unitPrice: "0.99"}]}}) { invoice { total invoiceLines { nodes { quantity unitPrice } } } } }`,
			`SELECT json_build_object('createInvoice', json_build_object('invoice', json_build_object('total', total::text, 'invoiceLines', json_build_object('nodes', json_agg(json_build_object('quantity', quantity, 'unitPrice', unit_price::text))))))
 FROM invoice JOIN invoice_line USING (invoice_id) WHERE customer_id = 3 GROUP BY invoice_id`},
	},
	"films.postgres": {
		{`{ films { nodes { title releaseYear rentalRate rating specialFeatures extra shotOn startsAt lastUpdate language { name } originalLanguage { name } actors { nodes { lastName } } categories { nodes { name parentCategory { name } } } } } }`,
			`SELECT json_build_object('films', json_build_object('nodes', json_agg(json_build_object('title', title, 'releaseYear', release_year, 'rentalRate', rental_rate::text, 'rating', replace(rating::text, '-', '_'),
 'specialFeatures', special_features, 'extra', extra, 'shotOn', shot_on, 'startsAt', starts_at, 'lastUpdate', to_char(f.last_update, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'language', json_build_object('name', trim(l.name)),
 'originalLanguage', CASE WHEN o.name IS NOT NULL THEN json_build_object('name', trim(o.name)) END,
 'actors', json_build_object('nodes', coalesce((SELECT json_agg(json_build_object('lastName', last_name) ORDER BY actor_id) FROM film_actor JOIN actor USING (actor_id) WHERE film_id = f.film_id), '[]')),
 'categories', json_build_object('nodes', coalesce((SELECT json_agg(json_build_object('name', c.name, 'parentCategory', CASE WHEN p.name IS NOT NULL THEN json_build_object('name', p.name) END) ORDER BY c.category_id)
   FROM film_category JOIN category c USING (category_id) LEFT JOIN category p ON p.category_id = c.parent_category_id WHERE film_id = f.film_id), '[]'))) ORDER BY film_id)))
 FROM film f JOIN language l USING (language_id) LEFT JOIN language o ON o.language_id = original_language_id`},
		{`{ a: films(where: {ratingIn: [PG_13, G]}) { totalCount } b: films(where: {lastUpdateGT: "2020-02-03T04:05:06Z"}) { totalCount } c: films(where: {titleHasPrefix: "A"}) { totalCount } d: films { aggregate { min { rating lastUpdate } sum { rentalRate } } } }`,
			`SELECT json_build_object('a', json_build_object('totalCount', count(*) FILTER (WHERE rating IN ('PG-13', 'G'))), 'b', json_build_object('totalCount', count(*) FILTER (WHERE last_update > '2020-02-03 04:05:06')),
 'c', json_build_object('totalCount', count(*) FILTER (WHERE title LIKE 'A%')), 'd', json_build_object('aggregate', json_build_object('min', json_build_object('rating', min(rating)::text, 'lastUpdate', to_char(min(last_update), 'YYYY-MM-DD"T"HH24:MI:SS"Z"')), 'sum', json_build_object('rentalRate', sum(rental_rate)::text)))) FROM film`},
		{`mutation { createFilm(input: {title: "New", languageId: "language_1", rating: NC_17, specialFeatures: ["x y", "{z}", "q\"r"], categories: {connect: ["category_1"]}}) { film { title rating specialFeatures rentalRate extra } } }`,
			`SELECT json_build_object('createFilm', json_build_object('film', json_build_object('title', title, 'rating', replace(rating::text, '-', '_'), 'specialFeatures', special_features, 'rentalRate', rental_rate::text, 'extra', extra))) FROM film JOIN film_category USING (film_id) WHERE title = 'New' AND category_id = 1`},
		{`mutation { updateFilm(id: "film_1", input: {specialFeatures: [], rating: R}) { film { rating specialFeatures } } }`,
			`SELECT json_build_object('updateFilm', json_build_object('film', json_build_object('rating', rating, 'specialFeatures', special_features))) FROM film WHERE film_id = 1`},
	},
	"shop.postgres": {
		{`{ orders(orderBy: [{field: UNIT_PRICE}]) { nodes { state unitPrice value billingCountry { id name } userSalesUser { id username followers { nodes { username } } products { nodes { id name tags sizes } } } } } sessionRows { nodes { id data } } }`,
			`SELECT json_build_object('orders', json_build_object('nodes', json_agg(json_build_object('state', replace(state::text, ' ', '_'), 'unitPrice', trim_scale("Unit Price")::text, 'value', value, 'billingCountry', json_build_object('id', 'country_' || code, 'name', c.name),
 'userSalesUser', json_build_object('id', 'salesuser_' || u.id, 'username', username, 'followers', json_build_object('nodes', (SELECT json_agg(json_build_object('username', f.username)) FROM sales.follows JOIN sales.users f ON f.id = follower_id WHERE followee_id = u.id)),
 'products', json_build_object('nodes', (SELECT json_agg(json_build_object('id', 'product_' || replace(sku, ' ', '%20'), 'name', "Name", 'tags', tags, 'sizes', sizes) ORDER BY sku) FROM sales.wishes JOIN "stock room"."Product" USING (sku) WHERE user_id = u.id)))) ORDER BY "Unit Price"))
 , 'sessionRows', json_build_object('nodes', (SELECT json_agg(json_build_object('id', 'sessionrow_' || token, 'data', data)) FROM sessions))) FROM sales."Order" JOIN sales.users u ON u.id = user_id JOIN sales.country c ON code = "billingCountry"`},
		{`mutation { createOrder(input: {userId: "salesuser_1", state: in_progress, unitPrice: "5.5", billingCountryId: "country_NO"}) { order { state unitPrice billingCountry { name } } } createProduct(input: {id: "product_C-3", name: "Casting", tags: ["a"], sizes: [3, 4]}) { product { id tags sizes } } }`,
			`SELECT json_build_object('createOrder', json_build_object('order', json_build_object('state', replace(state::text, ' ', '_'), 'unitPrice', trim_scale("Unit Price")::text, 'billingCountry', json_build_object('name', 'Norway'))),
 'createProduct', json_build_object('product', (SELECT json_build_object('id', 'product_' || sku, 'tags', tags, 'sizes', sizes) FROM "stock room"."Product" WHERE sku = 'C-3'))) FROM sales."Order" WHERE "Unit Price" = 5.5`},
	},
}

// TestServed adopts each database in a copy of the tree, builds it, serves the database, and
// compares answers with those of SQL. It takes minutes.
func TestServed(t *testing.T) {
	if os.Getenv("FORGE_SOAK") == "" {
		t.Skip("takes minutes; FORGE_SOAK=1 runs it")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	forge := filepath.Join(t.TempDir(), "forge")
	mustRun(t, root, nil, "go", "build", "-o", forge, ".")
	for _, name := range databases {
		t.Run(name, func(t *testing.T) {
			address, dir := mustCreate(t, name), filepath.Join(t.TempDir(), "tree")
			mustCopy(t, root, dir)
			if strings.HasPrefix(name, "shop") { // its entities have names of the demo's
				dir = filepath.Join(t.TempDir(), "bare")
				mustRun(t, root, nil, forge, "new", dir, "--module", "example.org/shop", "--bare")
			}
			start := time.Now()
			mustRun(t, dir, nil, "go", "run", ".", "adopt", address, "--unindexed")
			adopted := time.Since(start)
			mustRun(t, dir, nil, "go", "build", "-o", "served", ".")
			mustRun(t, dir, []string{"DATABASE_URL=" + address}, "./served", "migrate", "up")
			cmd := exec.Command("./served")
			cmd.Dir, cmd.Env = dir, append(environment(), "DATABASE_URL="+address, "ADDR=127.0.0.1:0", "DEMO=off")
			server := process.Start(t, cmd)
			t.Logf("adopted after %s, served after %s", adopted.Round(time.Second), time.Since(start).Round(time.Second))
			api := gqltest.New(t, server.URL)
			for _, c := range compared[name] {
				answer := api.Do(c.query, nil)
				if want := mustSelect(t, address, c.sql); !answer.OK() || !sameJSON(t, answer.RawData(), want) {
					t.Errorf("%s\nanswers %s\nand SQL says %s", c.query, answer, want)
				}
			}
		})
	}
}

func mustRun(t *testing.T, dir string, environ []string, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, append(environment(), environ...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// environment is that of this process without variables for its tests, which a server refuses.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "FORGE_") })
}

func mustCopy(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		rest, _ := filepath.Rel(from, path)
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "node_modules"):
			return filepath.SkipDir
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(to, rest), 0o755)
		case !entry.Type().IsRegular():
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rest), text, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func mustSelect(t *testing.T, address, query string) (text string) {
	t.Helper()
	driver, source := "postgres", address
	if path, ok := strings.CutPrefix(address, "sqlite:"); ok {
		driver, source = "sqlite", "file:"+path
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(query).Scan(&text); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return text
}

func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var x, y any
	if err := json.Unmarshal([]byte(a), &x); err != nil {
		return false
	}
	if err := json.Unmarshal([]byte(b), &y); err != nil {
		t.Fatal(err)
	}
	return reflect.DeepEqual(x, y)
}
