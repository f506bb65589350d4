package load

import (
	"database/sql/driver"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/google/uuid"

	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/read/binding"
	"forge/internal/read/plan"
	"forge/internal/read/rows"
	"forge/internal/read/sql"
)

// twoBranches returns a tree of an inner branch, whose rows are names, and a branch below it.
func twoBranches(parentPage, page *rows.Page) (t *tree, parent, below *branch) {
	o := &binding.Object{Key: binding.Column{Name: "id", Kind: entity.ID}, Entity: &entity.Entity{Name: "Track"}}
	of := func(parent *branch, page *rows.Page) *branch {
		l := &Loading{Loader: &Loader{nodes: make([]nodeMemory, 1)}}
		f := &fetch{loading: l, result: new(rows.Result), memory: &l.Loader.nodes[0]}
		f.query = sql.Query{Node: &plan.Node{Object: o}, Page: page, Columns: []binding.Column{{Name: "name", Kind: entity.String}}}
		return &branch{fetch: f, purpose: toRead, key: -1, parent: parent, table: rows.Table{Width: 1}}
	}
	parent = of(nil, parentPage)
	parent.at.Inner = true
	below = of(parent, page)
	return &tree{branches: []*branch{parent, below}, slots: [][]int{{3}, {3}}}, parent, below
}

func (b *branch) names() (names []string) {
	for row := range b.fetch.result.Table.Len() {
		value, _ := b.fetch.result.Table.Cell(row, 0)
		names = append(names, string(value))
	}
	return names
}

// TestTreeInAnyOrder takes the rows of a tree in random orders. The parent rows end in the order of
// their numbers, and each has its own rows below.
func TestTreeInAnyOrder(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		tree, parent, below := twoBranches(nil, nil)
		var list [][]driver.Value
		for n := range int64(5) {
			list = append(list, []driver.Value{int64(0), int64(0), n + 1, fmt.Sprint("parent ", n)}, []driver.Value{int64(1), n + 1, int64(0), fmt.Sprint("child of ", n)})
		}
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		for _, row := range list {
			if err := tree.take(row); err != nil {
				t.Fatal(err)
			}
		}
		for _, b := range tree.branches {
			if err := b.finish(); err != nil {
				t.Fatal(err)
			}
		}
		if want := []string{"parent 0", "parent 1", "parent 2", "parent 3", "parent 4"}; !reflect.DeepEqual(parent.names(), want) {
			t.Errorf("parents %v, want %v", parent.names(), want)
		}
		for i := range 5 {
			children := below.fetch.result.Rows(i)
			if len(children) != 1 || below.names()[children[0]] != fmt.Sprint("child of ", i) {
				t.Errorf("row %d has %v of %v", i, children, below.names())
			}
		}
	}
}

// TestTreeCut cuts pages from the rows of two parents, where a row follows one of them.
func TestTreeCut(t *testing.T) {
	t.Parallel()
	page := &rows.Page{First: new(2), Size: 2, Limit: 3, Offset: 1, More: true}
	tree, _, below := twoBranches(nil, page)
	for _, row := range [][]driver.Value{{int64(0), int64(0), int64(1), "a"}, {int64(0), int64(0), int64(2), "b"}, {int64(0), int64(0), int64(3), "c"},
		{int64(1), int64(1), int64(0), "a1"}, {int64(1), int64(1), int64(0), "a2"}, {int64(1), int64(1), int64(0), "a3"}, {int64(1), int64(3), int64(0), "c1"}} {
		if err := tree.take(row); err != nil {
			t.Fatal(err)
		}
	}
	for _, b := range tree.branches {
		if err := b.finish(); err != nil {
			t.Fatal(err)
		}
	}
	res := below.fetch.result
	if got := [][]int32{res.Rows(0), res.Rows(1), res.Rows(2)}; !reflect.DeepEqual(got, [][]int32{{0, 1}, {}, {3}}) {
		t.Errorf("rows %v", got)
	}
	if want := []bool{true, false, false}; !reflect.DeepEqual(res.More, want) {
		t.Errorf("more %v, want %v", res.More, want)
	}
	if want := []bool{true, false, true}; !reflect.DeepEqual(res.Skipped, want) {
		t.Errorf("skipped %v, want %v", res.Skipped, want)
	}
}

// TestTreeRefusesOtherRows checks that rows which no branch or parent can have are errors.
func TestTreeRefusesOtherRows(t *testing.T) {
	t.Parallel()
	for name, list := range map[string][][]driver.Value{
		"of no branch":      {{int64(2), int64(0), int64(1), "x"}},
		"of a text":         {{"0", int64(0), int64(1), "x"}},
		"below no row":      {{int64(1), int64(-1), int64(0), "x"}},
		"below row NULL":    {{int64(1), nil, int64(0), "x"}},
		"below a late row":  {{int64(1), int64(math.MaxInt32 + 1), int64(0), "x"}},
		"below another row": {{int64(0), int64(0), int64(1), "x"}, {int64(1), int64(2), int64(0), "x"}},
		"below none":        {{int64(1), int64(0), int64(0), "x"}},
		"without a number":  {{int64(0), int64(0), int64(0), "x"}},
		"number NULL":       {{int64(0), int64(0), nil, "x"}},
		"a number twice":    {{int64(0), int64(0), int64(1), "x"}, {int64(0), int64(0), int64(1), "x"}},
		"a number too high": {{int64(0), int64(0), int64(2), "x"}},
		"a key of no row":   {{int64(0), int64(0), int64(1), int8(1)}},
	} {
		tree, parent, below := twoBranches(nil, nil)
		var err error
		for _, row := range list {
			if err == nil {
				err = tree.take(row)
			}
		}
		for _, b := range []*branch{parent, below} {
			if err == nil {
				err = b.finish()
			}
		}
		if err == nil {
			t.Errorf("a row %s is taken", name)
		}
	}
}

// TestTreePlacesByKey finds the places of rows that were asked for by key, and refuses others.
func TestTreePlacesByKey(t *testing.T) {
	t.Parallel()
	keys := []uuid.UUID{entity.NewID(), entity.NewID(), entity.NewID()}
	tree, b, _ := twoBranches(nil, nil)
	b.fetch.query.Columns, b.fetch.query.Keys, b.key = []binding.Column{{Name: "id", Kind: entity.ID}}, []ids.Key{{UUID: keys[0]}, {UUID: keys[1]}, {UUID: keys[2]}}, 0
	for i, key := range []uuid.UUID{keys[2], keys[0]} {
		if err := tree.take([]driver.Value{int64(0), int64(0), int64(i + 1), key[:]}); err != nil {
			t.Fatal(err)
		}
	}
	places, n, err := b.places()
	if err != nil || n != 3 || !reflect.DeepEqual(places, []int32{2, 0}) {
		t.Errorf("places %v of %d, %v", places, n, err)
	}
	other := entity.NewID()
	if err := tree.take([]driver.Value{int64(0), int64(0), int64(3), other[:]}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.places(); err == nil {
		t.Error("a row that was not asked for has a place")
	}
}
