package docs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A load is people who change and read products, until it is stopped. Each request must be answered, rightly and without an error.
type load struct {
	t       *testing.T
	fleet   *fleet
	client  *http.Client
	sent    atomic.Int64
	failed  atomic.Int64
	stopped chan struct{}
	people  sync.WaitGroup
	created atomic.Int64
}

type vars = map[string]any

// product is what an answer says of one.
type product struct{ ID, Name string }

func newLoad(t *testing.T, f *fleet) *load {
	return &load{t: t, fleet: f, stopped: make(chan struct{}),
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 20}, Timeout: time.Minute}}
}

// start has each of four people look after products of their own.
func (l *load) start() {
	var data struct{ Products struct{ Nodes []product } }
	l.send(&data, `{ products(first: 100) { nodes { id name } } }`, nil)
	for i := range 4 {
		own := data.Products.Nodes[25*i : 25*(i+1) : 25*(i+1)]
		l.people.Go(func() { l.person(i, own) })
	}
}

// stop returns when all have read for a last time what they wrote.
func (l *load) stop() {
	close(l.stopped)
	l.people.Wait()
}

func (l *load) person(number int, own []product) {
	for i := 0; ; i++ {
		select {
		case <-l.stopped:
			for _, p := range own {
				l.read(p)
			}
			return
		case <-time.After(2 * time.Millisecond): // two cores are to do other things as well
		}
		name := fmt.Sprintf("Number %d of %d", i, number)
		own = append(own, l.create(fmt.Sprintf("new-%d-%d", number, i), name))
		l.find(own[len(own)-1])
		changed := &own[(7*i)%len(own)]
		changed.Name = name + ", changed"
		l.update(*changed)
		l.read(*changed)
		l.list()
	}
}

func (l *load) create(sku, name string) product {
	var data struct{ CreateProduct struct{ Product product } }
	l.send(&data, `mutation($sku: String!, $name: String!) {
		createProduct(input: {sku: $sku, name: $name, priceCents: 1, stock: 1}) { product { id name } } }`, vars{"sku": sku, "name": name})
	l.created.Add(1)
	return l.same(data.CreateProduct.Product, product{data.CreateProduct.Product.ID, name})
}

func (l *load) update(p product) {
	var data struct{ UpdateProduct struct{ Product product } }
	l.send(&data, `mutation($id: ID!, $name: String!) { updateProduct(id: $id, input: {name: $name}) { product { id name } } }`,
		vars{"id": p.ID, "name": p.Name})
	l.same(data.UpdateProduct.Product, p)
}

func (l *load) read(p product) {
	var data struct{ Product product }
	l.send(&data, `query($id: ID!) { product(id: $id) { id name } }`, vars{"id": p.ID})
	l.same(data.Product, p)
}

func (l *load) find(p product) {
	var data struct{ Products struct{ Nodes []product } }
	l.send(&data, `query($name: String!) { products(where: {name: $name}) { nodes { id name } } }`, vars{"name": p.Name})
	if found := data.Products.Nodes; len(found) != 1 || found[0] != p {
		l.fail("products with the name %q: %v, want %v", p.Name, found, p)
	}
}

func (l *load) list() {
	var data struct{ Products struct{ Nodes []product } }
	l.send(&data, `{ products(first: 20, orderBy: [{field: NAME}]) { nodes { id name stock } } }`, nil)
	if n := len(data.Products.Nodes); n != 20 {
		l.fail("a page has %d products, want 20", n)
	}
}

func (l *load) same(got, want product) product {
	if got != want || got.ID == "" {
		l.fail("a product is %v, want %v", got, want)
	}
	return got
}

func (l *load) fail(format string, args ...any) {
	if l.failed.Add(1) <= 10 {
		l.t.Errorf(format, args...)
	}
}

// send sends an operation once, to the server whose turn it is, and reads the data of the answer.
func (l *load) send(data any, query string, v vars) {
	s := l.fleet.take()
	defer s.busy.Done()
	l.sent.Add(1)
	body, err := json.Marshal(vars{"query": query, "variables": v})
	if err != nil {
		panic(err)
	}
	request, err := http.NewRequest("POST", s.url+"/graphql", bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	request.GetBody = nil // net/http would send it again when a connection breaks
	request.Header.Set("Content-Type", "application/json")
	response, err := l.client.Do(request)
	if err != nil {
		l.fail("%s: %v", query, err)
		return
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	answer := struct {
		Data   any
		Errors []any
	}{Data: data}
	if err == nil {
		err = json.Unmarshal(text, &answer)
	}
	if err != nil || response.StatusCode != http.StatusOK || answer.Errors != nil {
		l.fail("%s: %s %s (%v)", query, response.Status, text, err)
		return
	}
	s.answered.Add(1)
}
