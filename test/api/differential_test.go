package api_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"forge/ent"
	entfile "forge/ent/file"
	"forge/graph"
	"forge/internal/application"
	"forge/internal/database"
	"forge/internal/password"
	"forge/internal/unit"
	"forge/internal/viewer"
	"forge/test/dbtest"
	"forge/test/differ"
)

// demo describes the application for package differ.
func demo() differ.App {
	return differ.App{
		API:    (&graph.Resolver{Services: application.Services{Passwords: password.New(password.Cost{}, 0, 0)}}).API(),
		Client: func(u *unit.Unit) any { return ent.UnitClient(u) },
		// Soon no hero would be left for the other mutations, and no product is deleted, because
		// all were ordered. Nobody has sessions, mails or accounts at providers.
		Skipped: slices.Concat(ofOneself, []string{"createUpload", "deleteWebhook", "replayWebhook", "deleteHeroes", "deleteProduct"}),
		Inputs: map[string][]any{
			"email":    {"a@b.example", "A@b.example", "Reader1@Straße.example", "c@d.example", "none"},
			"password": nil, // hashing takes its time
		},
	}
}

// filled returns the database at url, with the rows of w.
func filled(t testing.TB, url string, w *world) *database.DB {
	t.Helper()
	a := newBareAPI(t, url)
	a.fill(w)
	return a.db
}

// TestDifferentialFiles does what TestDifferential does where heroes have photos, and products a
// picture.
func TestDifferentialFiles(t *testing.T) {
	t.Parallel()
	a, w := newBareAPI(t, dbtest.SQLite(t)), makeWorld()
	a.fill(w)
	a.stored(func(ctx context.Context, c *ent.Client) {
		made := 0
		add := func() *ent.FileCreate {
			made++
			f := c.File.Create().SetID(uuid.NewSHA1(uuid.Nil, []byte{byte(made)})).SetName(fmt.Sprintf("%d.png", made%5)).SetContentType("image/png").
				SetSize(1 << made).SetState(entfile.StateStored).SetEtag("x").SetAttachedAt(time.Unix(0, 0)).SetCreatedAt(time.Unix(0, 0))
			if made%3 > 0 {
				f.SetWidth(int32(made)).SetHeight(2).SetBlurhash("L")
			}
			return f
		}
		for i, h := range w.heroes[:20] {
			for range i % 4 {
				add().SetHeroOfPhotosID(h.ID).ExecX(ctx)
			}
		}
		for i, p := range w.products {
			if i%2 == 0 && made < 60 {
				c.Product.UpdateOneID(p.ID).SetPictureID(add().SaveX(ctx).ID).ExecX(ctx)
			}
		}
	})
	d := differ.New(t.Context(), demo(), a.db)
	d.TryMany(0, 500, d.NewCoverage(), func(seed uint64, difference string) { t.Errorf("seed %d: %s", seed, difference) })
}

// TestDifferential makes operations from seeds, and runs each through the read engine and field by
// field. With FORGE_SEED=n it runs only the operation of that seed.
func TestDifferential(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		d := differ.New(t.Context(), demo(), filled(t, url, makeWorld()))
		if text := os.Getenv("FORGE_SEED"); text != "" {
			seed, err := strconv.ParseUint(text, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			if difference := d.Try(seed, t.Output()); difference != "" {
				t.Error(difference)
			}
			return
		}
		from, to := uint64(0), uint64(10_000)
		if strings.HasPrefix(url, "postgres") {
			from, to = 10_000, 14_000
		}
		switch {
		case slowed > 1: // more of them tell the race detector nothing more
			to = from + 1_000
		case testing.Short():
			to = min(to, from+4_000)
		}
		if os.Getenv("FORGE_SOAK") != "" {
			from, to = 20*from, 20*to
		}
		found := func(seed uint64, difference string) {
			t.Errorf("FORGE_SEED=%d: the least that differs:\n%s", seed, difference)
		}
		seen := d.NewCoverage()
		d.TryMany(from, to, seen, found)
		t.Log(seen)
		if slowed == 1 {
			for _, missing := range seen.Missing() {
				t.Errorf("the operations lack %s", missing)
			}
		}
		// For those who see less, whatever the operations ask for.
		share := (to - from) / 8
		d.As(t.Context(), viewer.Viewer{}).TryMany(to, to+share, seen, found)
		d.As(t.Context(), viewer.Viewer{Role: viewer.User, ID: buyer(makeWorld())}).TryMany(to, to+2*share, seen, found)
	})
}

// buyer returns the key of the user with the most orders.
func buyer(w *world) (most uuid.UUID) {
	orders := map[uuid.UUID]int{}
	for _, o := range w.orders {
		if o.UserID != nil {
			orders[*o.UserID]++
		}
	}
	for _, u := range w.users {
		if u.DeletedAt == nil && orders[u.ID] > orders[most] {
			most = u.ID
		}
	}
	return most
}

// FuzzDifferential does the same as TestDifferential, with choices that the fuzzer makes.
func FuzzDifferential(f *testing.F) {
	d := differ.New(context.Background(), demo(), filled(f, dbtest.SQLite(f), makeWorld()))
	for seed := range uint64(20) {
		f.Add(differ.Choices(seed))
	}
	f.Fuzz(func(t *testing.T, from []byte) {
		if difference := d.TryChoices(from); difference != "" {
			t.Error(difference)
		}
	})
}

// TestDifferentialMutations makes mutations, and runs each through the read engine on one database,
// and field by field on another one with the same contents.
func TestDifferentialMutations(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		d := differ.New(t.Context(), demo(), filled(t, url, makeWorld()))
		unstored, difference := d.Mutations(500, filled(t, another(t, url), makeWorld()))
		if difference != "" {
			t.Fatal(difference)
		}
		if len(unstored) > 0 {
			t.Errorf("these were never stored: %s", unstored)
		}
	})
}
