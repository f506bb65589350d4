package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/order"
	"forge/ent/user"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/test/dbtest"
	"forge/test/differ"
	"forge/test/gqltest"
)

// world is the contents of a database as Go values. Tests compute the expected answers from it.
type world struct {
	users    []*ent.User
	teams    []*ent.Team
	heroes   []*ent.Hero
	products []*ent.Product
	stock    []*ent.Inventory
	orders   []*ent.Order
	items    []*ent.OrderItem
}

// makeWorld returns a world with equal values, NULLs, deleted users, and texts that are hard to
// compare. It is always the same world.
var makeWorld = sync.OnceValue(func() *world {
	r := rand.New(rand.NewPCG(2, 7))
	key := func() (id uuid.UUID) {
		for i := range id {
			id[i] = byte(r.Uint32())
		}
		return id
	}
	start := time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)
	moment := func() time.Time { return start.Add(time.Duration(r.IntN(6)) * 333_333 * time.Microsecond) }
	w := &world{}

	for i, name := range awkwardNames {
		u := &ent.User{ID: key(), CreatedAt: moment(), Version: 1 + i, Username: name, Role: user.RoleUSER, IsActive: i%3 > 0}
		if i%4 > 0 {
			email := fmt.Sprintf("Reader%d@Straße.example", i)
			u.Email, u.EmailKey = &email, new(entity.Fold(email))
		}
		if i%5 == 4 {
			u.Role = user.RoleADMIN
		}
		if i%6 == 5 {
			u.DeletedAt = new(moment())
		}
		w.users = append(w.users, u)
	}
	for i, name := range awkwardNames[:7] {
		tm := &ent.Team{ID: key(), CreatedAt: moment(), Version: 1, Name: name + " team"}
		if i%2 > 0 {
			tm.Headquarters = new("Quarters \"" + name + "\"\t\\ no. " + fmt.Sprint(i))
		}
		w.teams = append(w.teams, tm)
	}
	for range 60 {
		h := &ent.Hero{ID: key(), CreatedAt: moment(), Version: 1, Name: pick(r, awkwardNames[:9])}
		if r.IntN(4) > 0 {
			h.Age = new(pick(r, []int32{0, 7, 7, 30, 31, 2147483647}))
		}
		if r.IntN(5) > 0 {
			h.TeamID = &pick(r, w.teams[1:]).ID // the first has nobody
		}
		if r.IntN(6) > 0 {
			h.OwnerID = &pick(r, w.users[1:]).ID
		}
		w.heroes = append(w.heroes, h)
	}
	for i, name := range awkwardNames {
		p := &ent.Product{ID: key(), CreatedAt: moment(), Version: 1, Sku: fmt.Sprintf("SKU-%02d%s", i*7%20, name),
			Name: pick(r, awkwardNames[:5]), PriceCents: int32(i%4) * 250}
		w.products = append(w.products, p)
		w.stock = append(w.stock, &ent.Inventory{ID: key(), ProductID: p.ID, Quantity: int32(i * 3)})
	}
	for range 40 {
		o := &ent.Order{ID: key(), CreatedAt: moment(), Version: 1, TotalCents: int32(r.IntN(5)) * 1000,
			Status: pick(r, []order.Status{order.StatusPENDING, order.StatusPAID, order.StatusCANCELLED})}
		if r.IntN(5) > 0 {
			o.UserID = &pick(r, w.users[1:]).ID
		}
		w.orders = append(w.orders, o)
	}
	for range 90 {
		p := pick(r, w.products[1:])
		w.items = append(w.items, &ent.OrderItem{ID: key(), Quantity: int32(1 + r.IntN(4)), UnitPriceCents: p.PriceCents,
			OrderID: pick(r, w.orders[3:]).ID, ProductID: p.ID})
	}
	slices.SortFunc(w.items, func(a, b *ent.OrderItem) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return w
})

var awkwardNames = differ.AwkwardNames

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// fill stores the world in the database.
func (a *api) fill(w *world) {
	a.t.Helper()
	a.stored(func(ctx context.Context, c *ent.Client) {
		must := func(err error) {
			if err != nil {
				a.t.Fatalf("fill the database: %v", err)
			}
		}
		must(inParts(w.users, func(part []*ent.User) error {
			return c.User.MapCreateBulk(part, func(create *ent.UserCreate, i int) {
				u := part[i]
				create.SetID(u.ID).SetCreatedAt(u.CreatedAt).SetVersion(u.Version).SetNillableDeletedAt(u.DeletedAt).
					SetUsername(u.Username).SetNillableEmail(u.Email).SetNillableEmailKey(u.EmailKey).SetNillableHashedPassword(u.HashedPassword).
					SetRole(u.Role).SetIsActive(u.IsActive)
			}).Exec(ctx)
		}))
		must(inParts(w.teams, func(part []*ent.Team) error {
			return c.Team.MapCreateBulk(part, func(create *ent.TeamCreate, i int) {
				m := part[i]
				create.SetID(m.ID).SetCreatedAt(m.CreatedAt).SetVersion(m.Version).SetName(m.Name).SetNillableHeadquarters(m.Headquarters)
			}).Exec(ctx)
		}))
		must(inParts(w.heroes, func(part []*ent.Hero) error {
			return c.Hero.MapCreateBulk(part, func(create *ent.HeroCreate, i int) { setHero(create, part[i]) }).Exec(ctx)
		}))
		must(inParts(w.products, func(part []*ent.Product) error {
			return c.Product.MapCreateBulk(part, func(create *ent.ProductCreate, i int) {
				p := part[i]
				create.SetID(p.ID).SetCreatedAt(p.CreatedAt).SetVersion(p.Version).SetSku(p.Sku).SetName(p.Name).SetPriceCents(p.PriceCents)
			}).Exec(ctx)
		}))
		must(inParts(w.stock, func(part []*ent.Inventory) error {
			return c.Inventory.MapCreateBulk(part, func(create *ent.InventoryCreate, i int) {
				create.SetID(part[i].ID).SetProductID(part[i].ProductID).SetQuantity(part[i].Quantity)
			}).Exec(ctx)
		}))
		must(inParts(w.orders, func(part []*ent.Order) error {
			return c.Order.MapCreateBulk(part, func(create *ent.OrderCreate, i int) {
				o := part[i]
				create.SetID(o.ID).SetCreatedAt(o.CreatedAt).SetVersion(o.Version).SetStatus(o.Status).
					SetTotalCents(o.TotalCents).SetNillableUserID(o.UserID)
			}).Exec(ctx)
		}))
		must(inParts(w.items, func(part []*ent.OrderItem) error {
			return c.OrderItem.MapCreateBulk(part, func(create *ent.OrderItemCreate, i int) {
				it := part[i]
				create.SetID(it.ID).SetOrderID(it.OrderID).SetProductID(it.ProductID).SetQuantity(it.Quantity).SetUnitPriceCents(it.UnitPriceCents)
			}).Exec(ctx)
		}))
	})
}

func setHero(create *ent.HeroCreate, h *ent.Hero) *ent.HeroCreate {
	return create.SetID(h.ID).SetCreatedAt(h.CreatedAt).SetVersion(h.Version).SetName(h.Name).
		SetNillableSecretName(h.SecretName).SetNillableAge(h.Age).SetNillableTeamID(h.TeamID).SetNillableOwnerID(h.OwnerID)
}

// inParts calls store with parts of rows, each small enough for the number of parameters that the
// databases allow.
func inParts[T any](rows []T, store func([]T) error) error {
	for part := range slices.Chunk(rows, 1000) {
		if err := store(part); err != nil {
			return err
		}
	}
	return nil
}

// idOf returns the ID of a key, as clients see it.
func idOf(prefix string, key uuid.UUID) string { return ids.ID{Prefix: prefix, UUID: key}.String() }

// twins are two servers with the same contents, one on SQLite and one on PostgreSQL.
type twins struct {
	t                *testing.T
	sqlite, postgres *api
}

// newTwins fills a database of each kind with w, and returns servers on both.
func newTwins(t *testing.T, w *world) twins {
	t.Helper()
	both := twins{t, newAPI(t, dbtest.SQLite(t)), newAPI(t, dbtest.Postgres(t))}
	both.each(func(a *api) { a.fill(w) })
	return both
}

func (b twins) each(f func(*api)) {
	f(b.sqlite)
	f(b.postgres)
}

// do sends an operation to both servers. The test fails if the answers are not the same byte for
// byte, except for the cost.
func (b twins) do(t *testing.T, query string, v vars) gqltest.Answer {
	t.Helper()
	got, other := b.sqlite.Do(query, v), b.postgres.Do(query, v)
	if withoutCost(got) != withoutCost(other) {
		t.Errorf("%s with %v differs between the databases. SQLite:\n%s\nPostgreSQL:\n%s", query, v, got, other)
	}
	return got
}

// mustDo is like do, and stops the test if there are errors.
func (b twins) mustDo(t *testing.T, query string, v vars) gqltest.Answer {
	t.Helper()
	got := b.do(t, query, v)
	if len(got.Errors) > 0 {
		t.Fatalf("%s with %v: %s", query, v, got)
	}
	return got
}

// withoutCost returns the errors and the data of an answer, as they were received.
func withoutCost(a gqltest.Answer) string {
	var parts struct{ Errors, Data json.RawMessage }
	if err := json.Unmarshal([]byte(a.Body), &parts); err != nil {
		return a.Body
	}
	return string(parts.Errors) + string(parts.Data)
}
