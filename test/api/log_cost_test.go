package api_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"forge/test/dbtest"
)

// TestLogCost measures how much longer mutations take on PostgreSQL because of the log of changes:
// rounds with the triggers and without them in turn, by one client.
func TestLogCost(t *testing.T) {
	if os.Getenv("FORGE_SOAK") == "" {
		t.Skip("FORGE_SOAK=1 measures it")
	}
	const people, products, rounds, each = 300, 300, 15, 400
	a := newAPI(t, dbtest.Postgres(t))
	var users, goods []string
	for i := range people {
		input := vars{"username": fmt.Sprintf("user.%d", i)}
		users = append(users, a.mustCall("createUser", vars{"input": input}).Text("createUser.user.id"))
	}
	for i := range products {
		goods = append(goods, a.product(fmt.Sprintf("SKU-%d", i), 100, 1_000_000))
	}
	for _, tt := range []struct {
		name   string
		mutate func()
	}{
		{"the update of a user", func() {
			email := fmt.Sprintf("user.%x@example.com", rand.Uint64())
			a.Must(`mutation($id: ID!, $email: String) { updateUser(id: $id, input: {email: $email}) { user { id email } } }`,
				vars{"id": users[rand.IntN(people)], "email": email})
		}},
		{"an order of 3 items", func() {
			var lines []orderLine
			for i := range 3 {
				lines = append(lines, orderLine{goods[i*products/3+rand.IntN(products/3)], 1})
			}
			a.mustCall("createOrder", orderOf(users[rand.IntN(people)], lines...))
		}},
	} {
		took := map[string][]float64{}
		for range rounds {
			for _, does := range []string{"DISABLE", "ENABLE"} {
				for _, table := range []string{"users", "orders", "order_items", "inventories"} {
					if _, err := a.db.ExecContext(t.Context(), "ALTER TABLE "+table+" "+does+" TRIGGER USER"); err != nil {
						t.Fatal(err)
					}
				}
				start := time.Now()
				for range each {
					tt.mutate()
				}
				took[does] = append(took[does], float64(time.Since(start))/each)
			}
		}
		without, with := took["DISABLE"], took["ENABLE"]
		slices.Sort(without)
		slices.Sort(with)
		t.Logf("%s: %s without the log, %s with it: %.2f of the mutations", tt.name, median(without), median(with), without[rounds/2]/with[rounds/2])
	}
}
