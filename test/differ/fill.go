package differ

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect"

	"forge/internal/database"
	"forge/internal/entity"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// filler fills a database with random rows, through ent's builders.
type filler struct {
	*rand.Rand
	app  App
	unit *unit.Unit
	keys map[string][]any // of the rows that are there, by entity
}

// Fill stores random rows of all entities: edge values and NULLs, self edges, rows with many related
// rows and with none. The same seed leads to the same rows.
func Fill(ctx context.Context, app App, db *database.DB, seed uint64) error {
	u := unit.New(db, unit.Write)
	defer u.Rollback()
	f := &filler{rand.New(rand.NewPCG(seed, 3)), app, u, map[string][]any{}}
	ctx = viewer.NewContext(ctx, viewer.System)
	order := ParentsFirst(app.API.Entities)
	for _, e := range order {
		n := []int{0, 1, 3, 8, 25, 25, 40, 60}[f.IntN(8)]
		for range n {
			if err := f.row(ctx, e); err != nil {
				return fmt.Errorf("a row of %s: %w", e.Name, err)
			}
		}
	}
	for _, e := range order {
		for i := range e.Edges {
			if err := f.join(ctx, e, &e.Edges[i]); err != nil {
				return fmt.Errorf("%s of %s: %w", e.Edges[i].Name, e.Name, err)
			}
		}
	}
	return u.Commit(ctx)
}

// ParentsFirst returns the entities in an order in which each entity comes after those that it
// refers to.
func ParentsFirst(entities []*entity.Entity) []*entity.Entity {
	var ordered []*entity.Entity
	var add func(*entity.Entity)
	add = func(e *entity.Entity) {
		if slices.Contains(ordered, e) {
			return
		}
		for _, edge := range e.Edges {
			if edge.OwnKey && edge.To != e.Name {
				add(entities[slices.IndexFunc(entities, func(o *entity.Entity) bool { return o.Name == edge.To })])
			}
		}
		ordered = append(ordered, e)
	}
	for _, e := range entities {
		add(e)
	}
	return ordered
}

// row stores a row, unless it would need a related row that is not there.
func (f *filler) row(ctx context.Context, e *entity.Entity) error {
	create := part(reflect.ValueOf(f.app.Client(f.unit)).Elem(), e.Name).MethodByName("Create").Call(nil)[0]
	for i := range e.Fields {
		field := &e.Fields[i]
		set := methodOf(create, "set"+folded(field.Column))
		value := any(nil)
		switch {
		case field.Refers != "" && i > 0:
			if value = f.key(e, field); value == nil && !field.Nullable {
				return nil
			}
		case !field.Nullable || f.IntN(4) > 0:
			value = f.value(field, set.Type().In(0))
		}
		if i == 0 {
			f.keys[e.Name] = append(f.keys[e.Name], value)
		}
		if value != nil {
			set.Call([]reflect.Value{reflect.ValueOf(value).Convert(set.Type().In(0))})
		}
	}
	if err, failed := create.MethodByName("Exec").Call([]reflect.Value{reflect.ValueOf(ctx)})[0].Interface().(error); failed {
		return err
	}
	return nil
}

func methodOf(v reflect.Value, name string) reflect.Value {
	for method := range v.Type().Methods() {
		if folded(method.Name) == name {
			return v.Method(method.Index)
		}
	}
	panic(fmt.Sprintf("%s has no method %s", v.Type(), name))
}

// key returns the key of a row that a column may refer to. It returns nil if there is none, and
// sometimes if the column may be NULL.
func (f *filler) key(e *entity.Entity, field *entity.Field) any {
	keys := f.keys[field.Refers]
	if field.Refers == e.Name {
		keys = keys[:len(keys)-1] // its own key is not stored yet
	}
	if len(keys) == 0 || field.Nullable && f.IntN(4) == 0 {
		return nil
	}
	if f.only(e, field) {
		at := len(f.keys[e.Name]) - 1
		if at >= len(keys) {
			return nil
		}
		return keys[at]
	}
	return keys[min(f.IntN(len(keys)), f.IntN(len(keys)))] // the first have most
}

// only reports whether at most one row may refer to a row by a column: no table has unique columns
// but those of one-to-one edges.
func (f *filler) only(e *entity.Entity, field *entity.Field) bool {
	for _, t := range f.app.API.Tables {
		if t.Name != e.Table {
			continue
		}
		for _, c := range t.Columns {
			if c.Name == field.Column {
				return c.Unique
			}
		}
	}
	return false
}

// value returns a value of a column that the Go type can hold.
func (f *filler) value(field *entity.Field, t reflect.Type) any {
	if values := f.values(field, t); len(values) > 0 {
		return values[f.IntN(len(values))]
	}
	panic(fmt.Sprintf("nothing is known to store in the column %s of type %s", field.Column, t))
}

func (f *filler) values(field *entity.Field, t reflect.Type) (list []any) {
	switch field.Kind {
	case entity.ID, entity.UUID:
		id := entity.NewID()
		for i := range id {
			id[i] = byte(f.Uint32())
		}
		return []any{id}
	case entity.String:
		list = append(list, "", strings.Repeat("long ", 80), "ada", "adb", "ada", "Adb")
		for _, text := range AwkwardNames {
			list = append(list, text)
		}
	case entity.Int:
		for _, n := range []int64{-1 << 31, 1<<31 - 1, -1 << 15, 1<<15 - 1, 1<<16 - 1, -128, 127, 255, -1, 0, 0, 1, 2, 7, 7, 30} {
			if fits(n, t) {
				list = append(list, n)
			}
		}
	case entity.Bool:
		list = []any{true, false}
	case entity.Time:
		list = []any{time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
			time.Date(1969, 12, 31, 23, 59, 59, 1000, time.UTC), time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC), time.Date(2026, 1, 2, 15, 4, 5, 500_000_000, time.UTC)}
	case entity.Enum:
		for _, value := range field.Values {
			list = append(list, value)
		}
	}
	return list
}

// fits reports whether a Go type can hold a number.
func fits(n int64, t reflect.Type) bool {
	v := reflect.New(t).Elem()
	if v.CanUint() {
		return n >= 0 && !v.OverflowUint(uint64(n))
	}
	return !v.OverflowInt(n)
}

// join stores which rows a many-to-many edge joins. It does nothing for other edges, for edges in
// the direction in which ent does not define them, and for those whose table is an entity.
func (f *filler) join(ctx context.Context, e *entity.Entity, edge *entity.Edge) error {
	if edge.Through == "" || f.keys[edge.Through] != nil {
		return nil
	}
	f.keys[edge.Through] = []any{}
	return f.joinRows(ctx, e, edge)
}

func (f *filler) joinRows(ctx context.Context, e *entity.Entity, edge *entity.Edge) error {
	places := "?, ?"
	if f.unit.Dialect() == dialect.Postgres {
		places = "$1, $2"
	}
	far := farColumn(edge)
	for i, near := range f.keys[e.Name] {
		for j, other := range f.keys[edge.To] {
			if i%5 == 4 || f.IntN(len(f.keys[edge.To])) > 4 && j%7 > 0 {
				continue
			}
			if _, err := f.unit.Exec(ctx, fmt.Sprintf("INSERT INTO %s (%s, %s) VALUES (%s)", edge.Through, edge.Column, far, places), near, other); err != nil {
				return err
			}
		}
	}
	return nil
}

func farColumn(edge *entity.Edge) string {
	return reflect.ValueOf(edge).Elem().FieldByName("Far").String()
}
