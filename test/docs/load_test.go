package docs

import (
	"context"
	"fmt"
	"forge/test/gqltest"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A load is four people who change and read products until stop. Each answer must be right and
// without errors.
type load struct {
	t       *testing.T
	fleet   *fleet
	sent    atomic.Int64
	failed  atomic.Int64
	stopped chan struct{}
	people  sync.WaitGroup
	created atomic.Int64
}

type vars = gqltest.Vars

// product is a product in an answer.
type product struct{ ID, Name string }

func newLoad(t *testing.T, f *fleet) *load {
	return &load{t: t, fleet: f, stopped: make(chan struct{})}
}

// start starts the four people. Each of them uses different products.
func (l *load) start() {
	var data struct{ Products struct{ Nodes []product } }
	l.send(&data, `{ products(first: 100) { nodes { id name } } }`, nil)
	for i := range 4 {
		own := data.Products.Nodes[25*i : 25*(i+1) : 25*(i+1)]
		l.people.Go(func() { l.person(i, own) })
	}
}

// stop stops the load. It returns when everybody has read all of their products once more.
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
		case <-time.After(2 * time.Millisecond): // the other processes need some of the two cores
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

// send sends an operation once, to the next server, and reads the data of the answer.
func (l *load) send(data any, query string, v vars) {
	s := l.fleet.take()
	defer s.busy.Done()
	l.sent.Add(1)
	answer := s.api.Send(context.Background(), query, v)
	if !answer.OK() || answer.Status != http.StatusOK {
		l.fail("%s: %s", query, answer)
		return
	}
	if err := answer.Decode(data); err != nil {
		l.fail("%s: %v: %s", query, err, answer)
		return
	}
	s.answered.Add(1)
}
