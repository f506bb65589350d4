package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"entgo.io/ent/dialect"

	"forge/ent/schema"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// mutations are the documents that the tests send, by the name of the root field. They select all
// fields, so that the payload shows a test whatever the mutation changed.
var mutations = map[string]string{
	"createUser":    `mutation($input: CreateUserInput!) { createUser(input: $input) { user { ...user } } }` + userFields,
	"updateUser":    `mutation($id: ID!, $input: UpdateUserInput!, $expectedVersion: Int) { updateUser(id: $id, input: $input, expectedVersion: $expectedVersion) { user { ...user } } }` + userFields,
	"deleteUser":    `mutation($id: ID!, $expectedVersion: Int) { deleteUser(id: $id, expectedVersion: $expectedVersion) { deletedId } }`,
	"restoreUser":   `mutation($id: ID!) { restoreUser(id: $id) { user { ...user } } }` + userFields,
	"createTeam":    `mutation($input: CreateTeamInput!) { createTeam(input: $input) { team { ...team } } }` + teamFields,
	"updateTeam":    `mutation($id: ID!, $input: UpdateTeamInput!, $expectedVersion: Int) { updateTeam(id: $id, input: $input, expectedVersion: $expectedVersion) { team { ...team } } }` + teamFields,
	"deleteTeam":    `mutation($id: ID!, $expectedVersion: Int) { deleteTeam(id: $id, expectedVersion: $expectedVersion) { deletedId } }`,
	"createHero":    `mutation($input: CreateHeroInput!) { createHero(input: $input) { hero { ...hero } } }` + heroFields,
	"createHeroes":  `mutation($input: [CreateHeroInput!]!, $onError: OnError! = ABORT) { createHeroes(input: $input, onError: $onError) { heroes { ...hero } errors { index code message field } } }` + heroFields,
	"updateHero":    `mutation($id: ID!, $input: UpdateHeroInput!, $expectedVersion: Int) { updateHero(id: $id, input: $input, expectedVersion: $expectedVersion) { hero { ...hero } } }` + heroFields,
	"deleteHero":    `mutation($id: ID!, $expectedVersion: Int) { deleteHero(id: $id, expectedVersion: $expectedVersion) { deletedId } }`,
	"createProduct": `mutation($input: CreateProductInput!) { createProduct(input: $input) { product { ...product } } }` + productFields,
	"updateProduct": `mutation($id: ID!, $input: UpdateProductInput!, $expectedVersion: Int) { updateProduct(id: $id, input: $input, expectedVersion: $expectedVersion) { product { ...product } } }` + productFields,
	"deleteProduct": `mutation($id: ID!, $expectedVersion: Int) { deleteProduct(id: $id, expectedVersion: $expectedVersion) { deletedId } }`,
	"adjustStock":   `mutation($productId: ID!, $delta: Int!) { adjustStock(productId: $productId, delta: $delta) { product { ...product } } }` + productFields,
	"createOrder":   `mutation($input: CreateOrderInput!) { createOrder(input: $input) { order { ...order } } }` + orderFields,
	"payOrder":      `mutation($id: ID!, $expectedVersion: Int) { payOrder(id: $id, expectedVersion: $expectedVersion) { order { ...order } } }` + orderFields,
	"cancelOrder":   `mutation($id: ID!, $expectedVersion: Int) { cancelOrder(id: $id, expectedVersion: $expectedVersion) { order { ...order } } }` + orderFields,
}

const (
	userFields    = ` fragment user on User { id username email role isActive version createdAt updatedAt }`
	teamFields    = ` fragment team on Team { id name headquarters version createdAt updatedAt }`
	heroFields    = ` fragment hero on Hero { id name age team { id } owner { id } version createdAt updatedAt }`
	productFields = ` fragment product on Product { id sku name priceCents stock version createdAt updatedAt }`
	orderFields   = ` fragment order on Order { id user { id } status totalCents items { id product { id } quantity unitPriceCents } version createdAt updatedAt }`
)

// call sends a mutation of mutations.
func (a *api) call(mutation string, v vars) gqltest.Answer {
	a.t.Helper()
	return a.Do(mutations[mutation], v)
}

// mustCall is like call, and stops the test if the answer has errors.
func (a *api) mustCall(mutation string, v vars) gqltest.Answer {
	a.t.Helper()
	return a.Must(mutations[mutation], v)
}

// shows sends a mutation and checks fields in its payload. path leads to them, such as
// "createHero.hero".
func (a *api) shows(t *testing.T, path string, v, want vars) gqltest.Answer {
	t.Helper()
	mutation, _, _ := strings.Cut(path, ".")
	got := a.call(mutation, v)
	for name, want := range want {
		if is := got.At(path + "." + name); is != want {
			t.Errorf("%s(%v): %s is %v, want %v\n%s", mutation, v, name, is, want, got)
		}
	}
	return got
}

// These IDs are well formed and belong to no row.
const (
	noUser    = "user_01h455vb4pex5vsknk084sn02q"
	noTeam    = "team_01h455vb4pex5vsknk084sn02q"
	noHero    = "hero_01h455vb4pex5vsknk084sn02q"
	noProduct = "product_01h455vb4pex5vsknk084sn02q"
	noOrder   = "order_01h455vb4pex5vsknk084sn02q"
)

// things holds the IDs of one row of each entity.
type things struct{ user, team, hero, product, order string }

func (a *api) make() (made things) {
	a.t.Helper()
	made.user = a.mustCall("createUser", vars{"input": vars{"username": "ada", "email": "ada@example.com"}}).Text("createUser.user.id")
	made.team = a.mustCall("createTeam", vars{"input": vars{"name": "The Watch", "headquarters": "Pseudopolis Yard"}}).Text("createTeam.team.id")
	made.hero = a.mustCall("createHero", vars{"input": vars{"name": "Sam", "secretName": "Blackboard", "age": 45,
		"teamId": made.team, "ownerId": made.user}}).Text("createHero.hero.id")
	made.product = a.mustCall("createProduct", vars{"input": vars{"sku": "BOOTS-8", "name": "Boots", "priceCents": 5000, "stock": 10}}).Text("createProduct.product.id")
	made.order = a.mustCall("createOrder", vars{"input": vars{"userId": made.user, "items": []vars{{"productId": made.product, "quantity": 1}}}}).Text("createOrder.order.id")
	return made
}

// contents returns everything that the API shows.
func (a *api) contents() string {
	a.t.Helper()
	got := a.Must(`{
		users(first: 100) { nodes { ...user } }
		teams(first: 100) { nodes { ...team } }
		heroes(first: 100) { nodes { ...hero } }
		products(first: 100) { nodes { ...product } }
		orders(first: 100) { nodes { ...order } }
	}`+userFields+teamFields+heroFields+productFields+orderFields, nil)
	b, err := json.MarshalIndent(got.Data, "", " ")
	if err != nil {
		a.t.Fatal(err)
	}
	return string(b)
}

// refused sends a mutation that must fail with the code, and with the entries more in extensions.
// It checks that nothing has changed.
func (a *api) refused(t *testing.T, mutation string, v vars, code string, more vars) gqltest.Answer {
	t.Helper()
	before := a.contents()
	got := a.call(mutation, v)
	errors, several := more["errors"]
	if !several {
		errors = 1
	}
	if len(got.Errors) != errors || got.Code() != code || got.Data != nil {
		t.Errorf("%s with %v: %s\nwant data null and %v errors, the first %s", mutation, v, got, errors, code)
	}
	for name, want := range more {
		if name == "errors" {
			continue
		}
		if is := got.Extension(name); fmt.Sprint(is) != fmt.Sprint(want) {
			t.Errorf("%s with %v: extensions.%s is %v, want %v", mutation, v, name, is, want)
		}
	}
	if after := a.contents(); after != before {
		t.Errorf("%s with %v changed something. Before:\n%s\nafter:\n%s", mutation, v, before, after)
	}
	return got
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		m := a.make()
		change := func(id, name string, value any) vars { return vars{"id": id, "input": vars{name: value}} }
		user := func(name string, value any) vars { return vars{"input": with(vars{"username": "sybil"}, name, value)} }
		team := func(name string, value any) vars { return vars{"input": with(vars{"name": "Lancre"}, name, value)} }
		hero := func(name string, value any) vars { return vars{"input": with(vars{"name": "Carrot"}, name, value)} }
		product := func(name string, value any) vars {
			return vars{"input": with(vars{"sku": "PIE", "name": "Pie", "priceCents": 1, "stock": 1}, name, value)}
		}
		order := func(items ...vars) vars {
			return vars{"input": vars{"userId": m.user, "items": append([]vars{}, items...)}}
		}
		line := func(product string, quantity any) vars { return vars{"productId": product, "quantity": quantity} }
		for _, tt := range []struct {
			name, mutation string
			vars           vars
			field          string
		}{
			{"no username", "createUser", user("username", ""), "input.username"},
			{"blank username", "createUser", user("username", " \t\u00a0\u2003\n"), "input.username"},
			{"long username", "createUser", user("username", strings.Repeat("é", schema.UsernameLength+1)), "input.username"},
			{"line break in a username", "createUser", user("username", "a\nb"), "input.username"},
			{"NUL in a username", "createUser", user("username", "a\x00b"), "input.username"},
			{"C1 control in a username", "createUser", user("username", "a\u009bb"), "input.username"},
			{"email without a domain", "createUser", user("email", "ada"), "input.email"},
			{"email with a name", "createUser", user("email", "Ada <ada@example.org>"), "input.email"},
			{"email in brackets", "createUser", user("email", "<ada@example.org>"), "input.email"},
			{"two emails", "createUser", user("email", "ada@example.org, bob@example.org"), "input.email"},
			{"email with a comment", "createUser", user("email", "ada@example.org (Ada)"), "input.email"},
			{"email with a blank", "createUser", user("email", "ada @example.org"), "input.email"},
			{"email with a line break", "createUser", user("email", "ada@example.org\r\nBcc: all@example.org"), "input.email"},
			{"long email", "createUser", user("email", strings.Repeat("a", schema.EmailLength-11)+"@example.org"), "input.email"},
			{"email that is long without regard to case", "createUser", user("email", strings.Repeat("\ufdfa", 40)+"@example.org"), "input.email"},
			{"short password", "createUser", user("password", "1234567"), "input.password"},
			{"password short in characters", "createUser", user("password", "пароль!"), "input.password"},
			{"empty password", "createUser", user("password", ""), "input.password"},
			{"long password", "createUser", user("password", strings.Repeat("x", 129)), "input.password"},
			{"NUL in a password", "createUser", user("password", "12345678\x00"), "input.password"},
			{"null username", "updateUser", change(m.user, "username", nil), "input.username"},
			{"blank username", "updateUser", change(m.user, "username", "  "), "input.username"},
			{"null isActive", "updateUser", change(m.user, "isActive", nil), "input.isActive"},
			{"no email", "updateUser", change(m.user, "email", "@"), "input.email"},
			{"short password", "updateUser", change(m.user, "password", "short"), "input.password"},

			{"blank name", "createTeam", team("name", "\u3000"), "input.name"},
			{"long name", "createTeam", team("name", strings.Repeat("n", schema.TeamNameLength+1)), "input.name"},
			{"long headquarters", "createTeam", team("headquarters", strings.Repeat("h", schema.TeamHeadquartersLength+1)), "input.headquarters"},
			{"NUL in the headquarters", "createTeam", team("headquarters", "\x00"), "input.headquarters"},
			{"null name", "updateTeam", change(m.team, "name", nil), "input.name"},
			{"long headquarters", "updateTeam", change(m.team, "headquarters", strings.Repeat("h", schema.TeamHeadquartersLength+1)), "input.headquarters"},

			{"blank name", "createHero", hero("name", " "), "input.name"},
			{"long name", "createHero", hero("name", strings.Repeat("n", schema.HeroNameLength+1)), "input.name"},
			{"long secret name", "createHero", hero("secretName", strings.Repeat("n", schema.HeroSecretNameLength+1)), "input.secretName"},
			{"NUL in a secret name", "createHero", hero("secretName", "a\x00"), "input.secretName"},
			{"negative age", "createHero", hero("age", -1), "input.age"},
			{"no ID of a team", "createHero", hero("teamId", "nonsense"), "input.teamId"},
			{"ID of a user for a team", "createHero", hero("teamId", m.user), "input.teamId"},
			{"ID of a team for an owner", "createHero", hero("ownerId", m.team), "input.ownerId"},
			{"null name", "updateHero", change(m.hero, "name", nil), "input.name"},
			{"negative age", "updateHero", change(m.hero, "age", -1), "input.age"},
			{"ID of a hero for a team", "updateHero", change(m.hero, "teamId", m.hero), "input.teamId"},
			{"ID of a hero for an owner", "updateHero", change(m.hero, "ownerId", m.hero), "input.ownerId"},

			{"blank name", "createHeroes", vars{"input": []vars{{"name": "a"}, {"name": "b"}, {"name": " "}}}, "input.2.name"},
			{"fault beside a missing team", "createHeroes", vars{"input": []vars{{"name": "a", "teamId": noTeam}, {"name": ""}}}, "input.1.name"},
			{"too many", "createHeroes", vars{"input": manyHeroes(1001)}, "input"},
			{"too many to skip", "createHeroes", vars{"input": manyHeroes(1001), "onError": "SKIP"}, "input"},

			{"blank SKU", "createProduct", product("sku", " "), "input.sku"},
			{"long SKU", "createProduct", product("sku", strings.Repeat("s", schema.ProductSkuLength+1)), "input.sku"},
			{"blank name", "createProduct", product("name", " "), "input.name"},
			{"long name", "createProduct", product("name", strings.Repeat("n", schema.ProductNameLength+1)), "input.name"},
			{"negative price", "createProduct", product("priceCents", -1), "input.priceCents"},
			{"negative stock", "createProduct", product("stock", -1), "input.stock"},
			{"price past 32 bits", "createProduct", product("priceCents", 1<<31), "input.priceCents"},
			{"null SKU", "updateProduct", change(m.product, "sku", nil), "input.sku"},
			{"null name", "updateProduct", change(m.product, "name", nil), "input.name"},
			{"null price", "updateProduct", change(m.product, "priceCents", nil), "input.priceCents"},
			{"negative price", "updateProduct", change(m.product, "priceCents", -5), "input.priceCents"},
			{"stock past 32 bits", "adjustStock", vars{"productId": m.product, "delta": 1<<31 - 1}, "delta"},

			{"no lines", "createOrder", order(), "input.items"},
			{"too many lines", "createOrder", order(slices.Repeat([]vars{line(m.product, 1)}, 101)...), "input.items"},
			{"no quantity", "createOrder", order(line(m.product, 1), line(m.product, 0)), "input.items.1.quantity"},
			{"negative quantity", "createOrder", order(line(m.product, -1)), "input.items.0.quantity"},
			{"quantities past 32 bits", "createOrder", order(line(m.product, 1<<31-1), line(noProduct, 1), line(m.product, 1)), "input.items.2.quantity"},
			{"ID of a hero for a product", "createOrder", order(line(m.product, 1), line(m.hero, 1)), "input.items.1.productId"},
			{"ID of a hero for a user", "createOrder", vars{"input": vars{"userId": m.hero, "items": []vars{line(m.product, 1)}}}, "input.userId"},

			{"ID of another kind", "updateUser", change(m.team, "username", "x"), "id"},
			{"ID of another kind", "deleteUser", vars{"id": m.team}, "id"},
			{"ID of another kind", "restoreUser", vars{"id": m.team}, "id"},
			{"ID of another kind", "updateTeam", change(m.user, "name", "x"), "id"},
			{"ID of another kind", "deleteTeam", vars{"id": m.user}, "id"},
			{"ID of another kind", "updateHero", change(m.user, "name", "x"), "id"},
			{"ID of another kind", "deleteHero", vars{"id": m.user}, "id"},
			{"ID of another kind", "updateProduct", change(m.user, "name", "x"), "id"},
			{"ID of another kind", "adjustStock", vars{"productId": m.user, "delta": 1}, "productId"},
			{"nobody who buys", "createOrder", vars{"input": vars{"items": []vars{line(m.product, 1)}}}, "input.userId"},
			{"null for who buys", "createOrder", vars{"input": vars{"userId": nil, "items": []vars{line(m.product, 1)}}}, "input.userId"},
			{"ID of another kind", "payOrder", vars{"id": m.user}, "id"},
			{"ID of another kind", "cancelOrder", vars{"id": m.user}, "id"},
			{"ID of another kind", "deleteProduct", vars{"id": m.user}, "id"},
			{"malformed ID", "deleteUser", vars{"id": "user_1"}, "id"},
		} {
			t.Run(tt.mutation+"/"+tt.name, func(t *testing.T) {
				a.refused(t, tt.mutation, tt.vars, "BAD_USER_INPUT", vars{"field": tt.field})
			})
		}
	})
}

// with returns a copy of v with one value replaced.
func with(v vars, name string, value any) vars {
	v = maps.Clone(v)
	v[name] = value
	return v
}

func TestNotFound(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		m := a.make()
		gone := a.mustCall("createUser", vars{"input": vars{"username": "gone"}}).Text("createUser.user.id")
		a.mustCall("deleteUser", vars{"id": gone})
		order := func(user string, products ...string) vars {
			var items []vars
			for _, p := range products {
				items = append(items, vars{"productId": p, "quantity": 1})
			}
			return vars{"input": vars{"userId": user, "items": items}}
		}
		for _, tt := range []struct {
			name, mutation string
			vars           vars
			id             string
		}{
			{"unknown", "updateUser", vars{"id": noUser, "input": vars{"username": "x"}}, noUser},
			{"unknown, nothing to change", "updateUser", vars{"id": noUser, "input": vars{}}, noUser},
			{"unknown, with a version", "updateUser", vars{"id": noUser, "input": vars{"username": "x"}, "expectedVersion": 1}, noUser},
			{"deleted", "updateUser", vars{"id": gone, "input": vars{"username": "x"}}, gone},
			{"deleted, nothing to change", "updateUser", vars{"id": gone, "input": vars{}}, gone},
			{"unknown", "deleteUser", vars{"id": noUser}, noUser},
			{"deleted", "deleteUser", vars{"id": gone}, gone},
			{"unknown", "restoreUser", vars{"id": noUser}, noUser},
			{"unknown", "updateTeam", vars{"id": noTeam, "input": vars{"name": "x"}}, noTeam},
			{"unknown", "deleteTeam", vars{"id": noTeam}, noTeam},
			{"unknown, with a version", "deleteTeam", vars{"id": noTeam, "expectedVersion": 1}, noTeam},
			{"unknown team", "createHero", vars{"input": vars{"name": "x", "teamId": noTeam}}, noTeam},
			{"unknown owner", "createHero", vars{"input": vars{"name": "x", "ownerId": noUser}}, noUser},
			{"deleted owner", "createHero", vars{"input": vars{"name": "x", "ownerId": gone}}, gone},
			{"unknown", "updateHero", vars{"id": noHero, "input": vars{"name": "x"}}, noHero},
			{"unknown team", "updateHero", vars{"id": m.hero, "input": vars{"teamId": noTeam}}, noTeam},
			{"deleted owner", "updateHero", vars{"id": m.hero, "input": vars{"ownerId": gone}}, gone},
			{"unknown", "deleteHero", vars{"id": noHero}, noHero},
			{"unknown team", "createHeroes", vars{"input": []vars{{"name": "a"}, {"name": "b", "teamId": noTeam}}}, noTeam},
			{"unknown", "updateProduct", vars{"id": noProduct, "input": vars{"name": "x"}}, noProduct},
			{"unknown", "adjustStock", vars{"productId": noProduct, "delta": 1}, noProduct},
			{"unknown user", "createOrder", order(noUser, m.product), noUser},
			{"deleted user", "createOrder", order(gone, m.product), gone},
			{"unknown product", "createOrder", order(m.user, m.product, noProduct), noProduct},
			{"unknown", "deleteProduct", vars{"id": noProduct}, noProduct},
			{"unknown", "payOrder", vars{"id": noOrder}, noOrder},
			{"unknown", "cancelOrder", vars{"id": noOrder}, noOrder},
			{"unknown, with a version", "cancelOrder", vars{"id": noOrder, "expectedVersion": 1}, noOrder},
		} {
			t.Run(tt.mutation+"/"+tt.name, func(t *testing.T) {
				a.refused(t, tt.mutation, tt.vars, "NOT_FOUND", vars{"id": tt.id})
			})
		}
	})
}

func TestConflict(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		a.make()
		user := a.mustCall("createUser", vars{"input": vars{"username": "bob", "email": "bob@example.com"}}).Text("createUser.user.id")
		team := a.mustCall("createTeam", vars{"input": vars{"name": "Lancre"}}).Text("createTeam.team.id")
		product := a.mustCall("createProduct", vars{"input": vars{"sku": "PIE", "name": "Pie", "priceCents": 1}}).Text("createProduct.product.id")
		for _, tt := range []struct {
			name, mutation string
			vars           vars
			field          string
		}{
			{"username", "createUser", vars{"input": vars{"username": " ada "}}, "input.username"},
			{"email", "createUser", vars{"input": vars{"username": "new", "email": "ada@example.com"}}, "input.email"},
			{"email in other case", "createUser", vars{"input": vars{"username": "new", "email": "ADA@Example.COM"}}, "input.email"},
			{"username", "updateUser", vars{"id": user, "input": vars{"username": "ada"}}, "input.username"},
			{"email", "updateUser", vars{"id": user, "input": vars{"email": "Ada@example.com"}}, "input.email"},
			{"name", "createTeam", vars{"input": vars{"name": "The Watch"}}, "input.name"},
			{"name", "updateTeam", vars{"id": team, "input": vars{"name": "The Watch"}}, "input.name"},
			{"SKU", "createProduct", vars{"input": vars{"sku": "BOOTS-8", "name": "Boots", "priceCents": 1}}, "input.sku"},
			{"SKU", "updateProduct", vars{"id": product, "input": vars{"sku": "BOOTS-8"}}, "input.sku"},
		} {
			t.Run(tt.mutation+"/"+tt.name, func(t *testing.T) {
				a.refused(t, tt.mutation, tt.vars, "CONFLICT", vars{"field": tt.field})
			})
		}
	})
}

func TestExpectedVersion(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		m := a.make()
		paid := a.mustCall("createOrder", orderOf(m.user, orderLine{m.product, 1})).Text("createOrder.order.id")
		unsold := a.product("UNSOLD", 1, 1)
		// In this order: what another one needs goes last.
		for _, tt := range []struct {
			mutation, id string
			input        vars
			have         int // the version that the row has by then
		}{
			{"updateUser", m.user, vars{"username": "eve"}, 1},
			{"updateUser", m.user, vars{}, 2},
			{"updateTeam", m.team, vars{"name": "The Night Watch"}, 1},
			{"updateHero", m.hero, vars{"age": 46}, 1},
			{"updateProduct", m.product, vars{"priceCents": 1}, 1},
			{"payOrder", paid, nil, 1},
			{"cancelOrder", m.order, nil, 1},
			{"deleteProduct", unsold, nil, 1},
			{"deleteHero", m.hero, nil, 2},
			{"deleteTeam", m.team, nil, 2},
			{"deleteUser", m.user, nil, 2},
		} {
			t.Run(fmt.Sprint(tt.mutation, tt.input), func(t *testing.T) {
				v := vars{"id": tt.id}
				if tt.input != nil {
					v["input"] = tt.input
				}
				for _, other := range []int{tt.have - 1, tt.have + 1, -1} {
					a.refused(t, tt.mutation, with(v, "expectedVersion", other), "CONFLICT", vars{"currentVersion": tt.have})
				}
				if got := a.call(tt.mutation, with(v, "expectedVersion", tt.have)); len(got.Errors) > 0 {
					t.Errorf("%s with the version that it has, %d: %s", tt.mutation, tt.have, got)
				}
			})
		}
	})
}

func TestUpdateCountsVersions(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		m := a.make()
		for _, tt := range []struct {
			mutation, at, id string
			input            vars
		}{
			{"updateUser", "user", m.user, vars{"username": "eve"}},
			{"updateTeam", "team", m.team, vars{"name": "The Night Watch"}},
			{"updateHero", "hero", m.hero, vars{"age": nil}},
			{"updateProduct", "product", m.product, vars{"name": "Old boots"}},
		} {
			at := tt.mutation + "." + tt.at
			first := a.mustCall(tt.mutation, vars{"id": tt.id, "input": tt.input})
			if got := first.Number(at + ".version"); got != 2 {
				t.Errorf("%s: version %d, want 2", tt.mutation, got)
			}
			if first.Text(at+".updatedAt") <= first.Text(at+".createdAt") {
				t.Errorf("%s: updatedAt is not behind createdAt: %s", tt.mutation, first)
			}
			// An update of nothing is no change.
			second := a.mustCall(tt.mutation, vars{"id": tt.id, "input": vars{}})
			if !reflect.DeepEqual(second.Data, first.Data) {
				t.Errorf("%s with an empty input: %s\nwant %s", tt.mutation, second, first)
			}
		}
	})
}

func TestAtomic(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		m := a.make()
		before := a.contents()
		got := a.Do(`mutation Named($user: ID!, $product: ID!, $hero: ID!) {
			one: createTeam(input: { name: "Lancre" }) { team { id } }
			two: adjustStock(productId: $product, delta: 5) { product { stock } }
			three: deleteHero(id: $hero) { deletedId }
			four: createOrder(input: { userId: $user, items: [{ productId: $product, quantity: 1000 }] }) { order { id } }
			five: deleteUser(id: $user) { deletedId }
		}`, vars{"user": m.user, "product": m.product, "hero": m.hero})
		if len(got.Errors) != 1 || got.Code() != "INSUFFICIENT_STOCK" || got.Data != nil {
			t.Errorf("%s\nwant data null and one error, INSUFFICIENT_STOCK", got)
		}
		// What the document itself had added counts.
		if got := got.Extension("available"); got != float64(14) {
			t.Errorf("available: %v, want 14", got)
		}
		if after := a.contents(); after != before {
			t.Errorf("something was stored. Before:\n%s\nafter:\n%s", before, after)
		}
	})
}

func TestRootFieldsSeeEachOther(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		m := a.make()
		got := a.Must(`mutation($id: ID!) {
			one: adjustStock(productId: $id, delta: 5) { product { stock } }
			two: adjustStock(productId: $id, delta: -7) { product { stock } }
		}`, vars{"id": m.product})
		if one, two := got.Number("one.product.stock"), got.Number("two.product.stock"); one != 14 || two != 7 {
			t.Errorf("stock %d, then %d; want 14, then 7", one, two)
		}
	})
}

// TestMutationStatements checks how many statements the mutations run, not counting the reads of
// their payloads.
func TestMutationStatements(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		m := a.make()
		v := vars{"user": m.user, "team": m.team, "hero": m.hero, "product": m.product, "order": m.order,
			"paid": a.mustCall("createOrder", orderOf(m.user, orderLine{m.product, 1})).Text("createOrder.order.id"), "unsold": a.product("UNSOLD", 1, 1)}
		placing := 5
		if a.db.Dialect == dialect.Postgres {
			placing = 1
		}
		// What ends somebody's tokens looks for their last session, and for the time of the
		// database, and ends the tokens of mails; where rows are locked one by one, it locks the
		// user's first.
		endsTokens := 5
		if a.db.Dialect == dialect.Postgres {
			endsTokens = 6
		}
		for _, tt := range []struct {
			mutation string
			want     int
		}{
			{`createUser(input: { username: "bob" })`, 1},
			{`updateUser(id: $user, input: { username: "eve" }, expectedVersion: 1)`, 1},
			{`updateUser(id: $user, input: {})`, 1},
			{`createTeam(input: { name: "Lancre" })`, 1},
			{`updateTeam(id: $team, input: { name: "Ramtops" })`, 1},
			{`createHero(input: { name: "Nobby", teamId: $team, ownerId: $user })`, 3},
			{`updateHero(id: $hero, input: { age: 46 })`, 1},
			{`updateHero(id: $hero, input: { teamId: $team })`, 2},
			{`createHeroes(input: [{ name: "Fred", teamId: $team, ownerId: $user }, { name: "Reg", teamId: $team }])`, 3},
			{`createHeroes(input: [{ name: "Fred", teamId: $team, ownerId: $user }, { name: "" }], onError: SKIP)`, 5},
			{`createProduct(input: { sku: "PIE", name: "Pie", priceCents: 1 })`, 2},
			{`updateProduct(id: $product, input: { priceCents: 1 })`, 1},
			{`adjustStock(productId: $product, delta: 1)`, 2},
			{`createOrder(input: { userId: $user, items: [{ productId: $product, quantity: 1 }, { productId: $product, quantity: 2 }] })`, placing},
			{`payOrder(id: $paid)`, 1},
			{`cancelOrder(id: $order)`, 4},
			{`deleteProduct(id: $unsold)`, 1},
			{`deleteHero(id: $hero)`, 1},
			{`deleteTeam(id: $team)`, 1},
			{`deleteUser(id: $user)`, endsTokens},
			{`restoreUser(id: $user)`, 1},
		} {
			var used []string
			for name := range v {
				if strings.Contains(tt.mutation, "$"+name) {
					used = append(used, "$"+name+": ID!")
				}
			}
			head := "mutation"
			if used != nil {
				head += "(" + strings.Join(used, ", ") + ")"
			}
			if got := a.Must(head+" { "+tt.mutation+" { __typename } }", v).Statements(); got != tt.want {
				t.Errorf("%s: %d statements, want %d", tt.mutation, got, tt.want)
			}
		}
	})
}

func TestSameVersionAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		m := a.make()
		const clients = 8
		answers := atOnce(clients, func(i int) gqltest.Answer {
			return a.call("updateUser", vars{"id": m.user, "input": vars{"username": fmt.Sprint("client", i)}, "expectedVersion": 1})
		})
		won := -1
		for i, got := range answers {
			switch {
			case len(got.Errors) == 0 && won < 0:
				won = i
			case got.Code() != "CONFLICT" || got.Extension("currentVersion") != float64(2):
				t.Errorf("client %d of those who expected version 1: %s\nwant one of them to win, and CONFLICT with version 2 for the others", i, got)
			}
		}
		got := a.Must(`query($id: ID!) { user(id: $id) { username version } }`, vars{"id": m.user})
		if name := got.Text("user.username"); name != fmt.Sprint("client", won) || got.Number("user.version") != 2 {
			t.Errorf("stored: %s\nwant what client %d wrote, as version 2", got, won)
		}
	})
}

// atOnce calls send the given number of times at once, and returns the answers.
func atOnce(times int, send func(i int) gqltest.Answer) []gqltest.Answer {
	answers := make([]gqltest.Answer, times)
	var wg sync.WaitGroup
	for i := range times {
		wg.Go(func() { answers[i] = send(i) })
	}
	wg.Wait()
	return answers
}
