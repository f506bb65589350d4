package docs

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/order"
	"forge/graph"
	"forge/internal/application"
	"forge/internal/database"
	"forge/internal/gqlexec"
	"forge/internal/password"
	"forge/internal/viewer"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

var writeAnswers = flag.Bool("write", false, "write the answers of SQLite into the pages")

// shopPages are the pages whose queries are about the rows of fillShop, in the order in which they
// are sent, with how many there are at least.
var shopPages = []struct {
	name    string
	queries int
}{{"queries.md", 15}, {"recipes/search.md", 2}, {"recipes/money.md", 1}, {"recipes/hasura.md", 2}, {"recipes/fastapi.md", 2}}

// TestQueries sends the queries of pages to a server on each database, whose rows are those of
// fillShop. The answers have to be those on the pages. A block with a label is another test's.
func TestQueries(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		db, err := database.Open(url, database.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		fillShop(t, ent.NewClient(ent.Driver(entsql.OpenDB(db.Dialect, db.DB))))
		app := (&graph.Resolver{Services: application.Services{Passwords: password.New(password.Cost{}, 0, 0)}}).API()
		server := gqlexec.New(app, db, gqlexec.Options{Development: true}, slog.New(slog.NewTextHandler(t.Output(), nil)))
		client := gqltest.NewHandler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			server.ServeHTTP(w, r.WithContext(viewer.NewContext(r.Context(), viewer.System)))
		}))
		for _, page := range shopPages {
			if n := compareAnswers(t, client, page.name); n < page.queries {
				t.Errorf("%s has %d answers, want %d", page.name, n, page.queries)
			}
		}
	})
}

// compareAnswers sends the queries of a page, and compares the answers. It returns how many there
// are. With -write it writes them into the page.
func compareAnswers(t *testing.T, client *gqltest.Client, name string) (compared int) {
	t.Helper()
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text, query := string(page), ""
	for _, b := range blocks(string(page)) {
		switch {
		case b.language == "graphql" && b.label == "":
			query = b.text
		case b.language == "json" && b.label == "" && b.file == "":
			compared++
			got := indented(t, client.Send(t.Context(), query, nil).Body)
			if got != b.text && *writeAnswers {
				text = strings.Replace(text, query+"```\n\n```json\n"+b.text, query+"```\n\n```json\n"+got, 1)
			} else if got != b.text {
				t.Errorf("%s\nis answered by\n%s\nand %s shows\n%s", query, got, name, b.text)
			}
		}
	}
	if *writeAnswers && text != string(page) {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return compared
}

// indented returns the data and errors of an answer in the form of the page: objects and lists stay
// in one line if they are short.
func indented(t *testing.T, body string) string {
	t.Helper()
	var answer struct {
		Data   json.RawMessage `json:"data,omitempty"`
		Errors json.RawMessage `json:"errors,omitempty"`
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	var b bytes.Buffer
	if text, err := json.Marshal(answer); err != nil || json.Indent(&b, text, "", "  ") != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return joined(strings.Split(b.String(), "\n"))
}

// joined returns lines of indented JSON, with those of each short object and list in one.
func joined(lines []string) string {
	const width = 100
	var out strings.Builder
	for i := 0; i < len(lines); i++ {
		line, end := lines[i], i
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		if last := line[len(line)-1]; last == '{' || last == '[' {
			for end++; !strings.HasPrefix(lines[end], indent+"}") && !strings.HasPrefix(lines[end], indent+"]"); end++ {
			}
			for j := i + 1; j <= end; j++ {
				if next := strings.TrimLeft(lines[j], " "); strings.ContainsAny(line[len(line)-1:], "{[") || strings.ContainsAny(next[:1], "}]") {
					line += next
				} else {
					line += " " + next
				}
			}
		}
		if len(line) > width {
			line, end = lines[i], i
		}
		out.WriteString(line + "\n")
		i = end
	}
	return out.String()
}

// fillShop fills an empty database with the rows that the answers on the page are about. The keys
// have their order.
func fillShop(t *testing.T, db *ent.Client) {
	t.Helper()
	ctx := viewer.NewContext(t.Context(), viewer.System)
	keys := 0
	key := func() uuid.UUID {
		keys++
		id := uuid.MustParse("01900000-0000-7000-8000-000000000000")
		id[15] = byte(keys)
		return id
	}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	users := map[string]uuid.UUID{}
	for _, name := range []string{"ada", "grace"} {
		users[name] = key()
		do(t, ctx, db.User.Create().SetID(users[name]).SetUsername(name).SetCreatedAt(start).SetUpdatedAt(start))
	}
	do(t, ctx, db.User.Create().SetUsername("hopper").SetCreatedAt(start).SetUpdatedAt(start).SetDeletedAt(start))
	teams := map[string]uuid.UUID{}
	for _, name := range []string{"Avengers", "Justice League", "Watchmen", "Éclaireurs"} {
		teams[name] = key()
		do(t, ctx, db.Team.Create().SetID(teams[name]).SetName(name).SetCreatedAt(start).SetUpdatedAt(start))
	}
	for _, h := range []struct {
		name, team, owner string
		age               int32
	}{
		{"Iron Man", "Avengers", "ada", 48}, {"Black Widow", "Avengers", "ada", 34}, {"Thor", "Avengers", "grace", 1500},
		{"Batman", "Justice League", "grace", 38}, {"Wonder Woman", "Justice League", "ada", 800}, {"Doctor Hammer", "", "ada", 52},
	} {
		create := db.Hero.Create().SetID(key()).SetName(h.name).SetAge(h.age).SetOwnerID(users[h.owner]).SetCreatedAt(start).SetUpdatedAt(start)
		if h.team != "" {
			create.SetTeamID(teams[h.team])
		}
		do(t, ctx, create)
	}
	prices := map[string]int32{"Cape": 2500, "Mask": 900, "Grappling hook": 12000, "Signal lamp": 30000}
	products := map[string]uuid.UUID{}
	for i, name := range []string{"Cape", "Mask", "Grappling hook", "Signal lamp"} {
		products[name] = key()
		do(t, ctx, db.Product.Create().SetID(products[name]).SetSku("SKU-"+string(rune('1'+i))).SetName(name).SetPriceCents(prices[name]).SetCreatedAt(start).SetUpdatedAt(start))
		do(t, ctx, db.Inventory.Create().SetID(key()).SetProductID(products[name]).SetQuantity(int32(3*i)))
	}
	type line struct {
		product  string
		quantity int32
	}
	for _, o := range []struct {
		at     string
		user   string
		status order.Status
		lines  []line
	}{
		{"2026-03-28T10:00:00Z", "ada", order.StatusPAID, []line{{"Cape", 2}, {"Mask", 1}}},
		{"2026-03-28T23:30:00Z", "grace", order.StatusPAID, []line{{"Mask", 4}}},           // the 29th in Berlin
		{"2026-03-29T22:30:00Z", "grace", order.StatusPAID, []line{{"Grappling hook", 1}}}, // the 30th: in summer time
		{"2026-03-30T08:00:00Z", "ada", order.StatusCANCELLED, []line{{"Cape", 1}}},
		{"2026-04-02T12:00:00Z", "ada", order.StatusPENDING, []line{{"Cape", 3}}},
	} {
		at, err := time.Parse(time.RFC3339, o.at)
		if err != nil {
			t.Fatal(err)
		}
		id, total := key(), int32(0)
		for _, l := range o.lines {
			total += l.quantity * prices[l.product]
		}
		do(t, ctx, db.Order.Create().SetID(id).SetUserID(users[o.user]).SetStatus(o.status).SetTotalCents(total).SetCreatedAt(at).SetUpdatedAt(at))
		for _, l := range o.lines {
			do(t, ctx, db.OrderItem.Create().SetID(key()).SetOrderID(id).SetProductID(products[l.product]).SetQuantity(l.quantity).SetUnitPriceCents(prices[l.product]))
		}
	}
}

// do stores a row.
func do(t *testing.T, ctx context.Context, create interface{ Exec(context.Context) error }) {
	t.Helper()
	if err := create.Exec(ctx); err != nil {
		t.Fatal(err)
	}
}
