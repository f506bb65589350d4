package main

import (
	"embed"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
)

//go:embed queries
var queries embed.FS

// workload is one kind of request.
type workload struct {
	name   string
	asks   string // the request in words
	short  string // the same in fewer words, for the chart
	rows   int    // the number of objects with an ID in an answer
	own    int    // the same for a demo user, who may see fewer objects
	writes bool
	alone  bool                            // only Forge can answer it
	draw   func(*keys, *rand.Rand) request // returns a request; nil if every request is the same
}

// request is the part of a request that differs from one to the next in a workload.
type request struct {
	variables string // in JSON
	plain     string // variables for the hand-written handlers, if they are different
	holds     string // a text that must be in the answer
}

// aside is the number of users that no workload changes. They are the first ones, so that all
// answers to w2, w3 and w4 are the same.
const aside = 50

var workloads = []*workload{
	{name: "w1", asks: "one user by ID", short: "one user by ID", rows: 1, draw: func(k *keys, r *rand.Rand) request {
		id := k.anyUser(r).id
		return request{variables: `{"id":"` + id + `"}`, holds: id}
	}},
	{name: "w1open", asks: "one user by ID, what everybody may see", rows: 1, alone: true, draw: func(k *keys, r *rand.Rand) request {
		id := k.anyUser(r).id
		return request{variables: `{"id":"` + id + `"}`, holds: id}
	}},
	{name: "w2open", asks: "the first 50 users, what everybody may see", rows: 50, alone: true},
	{name: "w2", asks: "the first 50 users", short: "50 users", rows: 50},
	{name: "w3", asks: "20 users × 10 heroes × team", short: "users × heroes × team", rows: 20 + 20*10},
	{name: "w4", asks: "20 users × 5 orders × 3 items × product", short: "users × orders × items × product", rows: 20 + 20*5, own: 20 + 5},
	{name: "w4x10", asks: "the same of 200 users", rows: 200 + 200*5, alone: true},
	{name: "w2d", asks: "w2 after a random cursor", rows: 50, draw: after(0, 50)},
	{name: "w3d", asks: "w3 after a random cursor", rows: 20 + 20*10, draw: after(0, 20)},
	{name: "w4d", asks: "w4 after a random cursor", rows: 20 + 20*5, own: 20, draw: after(aside, 20)},
	{name: "w5", asks: "50 users after a random cursor", short: "50 users after a cursor", rows: 50, draw: after(0, 50)},
	{name: "w6", asks: "update one user", short: "update a user", rows: 1, writes: true, draw: func(k *keys, r *rand.Rand) request {
		email := fmt.Sprintf("user.%x@example.com", r.Uint64())
		id := k.users[aside+r.IntN(len(k.users)-aside)].id
		return request{variables: `{"id":"` + id + `","email":"` + email + `"}`, holds: email}
	}},
	{name: "w7", asks: "place an order of 3 items", short: "place an order", rows: 1, writes: true, draw: func(k *keys, r *rand.Rand) request {
		var items []string
		for i := range 3 { // three different products
			n := len(k.products) / 3
			items = append(items, fmt.Sprintf(`{"productId":"%s","quantity":%d}`, k.products[i*n+r.IntN(n)], 1+r.IntN(4)))
		}
		r.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
		id := k.users[aside+r.IntN(len(k.users)-aside)].id
		return request{variables: `{"input":{"userId":"` + id + `","items":[` + strings.Join(items, ",") + `]}}`}
	}},
}

// after draws pages of users behind a random one, of which the first has the index from. With the
// demo data of scale 1000, two clients hardly ever ask for the same page at the same time.
func after(from, size int) func(*keys, *rand.Rand) request {
	return func(k *keys, r *rand.Rand) request {
		i := from + r.IntN(len(k.users)-size-from)
		return request{
			variables: `{"after":"` + k.users[i].cursor + `"}`,
			plain:     `{"after":"` + k.users[i].id + `"}`,
			holds:     k.users[i+size].id,
		}
	}
}

// query returns the document of a workload.
func (w *workload) query() string {
	b, err := queries.ReadFile("queries/" + w.name + ".graphql")
	if err != nil {
		panic(err) // the query of the workload is missing
	}
	return strings.Join(strings.Fields(string(b)), " ")
}

// next returns a request of the workload. r chooses its keys.
func (w *workload) next(k *keys, r *rand.Rand) request {
	if w.draw == nil {
		return request{variables: "{}"}
	}
	return w.draw(k, r)
}

// form describes how the requests of a workload look for a target.
type form struct {
	path  string
	start string // the body up to the variables
	plain bool
}

// graphql returns the form for GraphQL servers, and plain returns the form for the hand-written
// handlers.
func graphql(w *workload) form {
	query, _ := json.Marshal(w.query()) // a string can always be written as JSON
	return form{path: "/graphql", start: `{"query":` + string(query) + `,"variables":`}
}

func plain(w *workload) form { return form{path: "/" + w.name, start: `{"variables":`, plain: true} }

// body appends the body of a request to b.
func (f *form) body(b []byte, r *request) []byte {
	variables := r.variables
	if f.plain && r.plain != "" {
		variables = r.plain
	}
	return append(append(append(b, f.start...), variables...), '}')
}
