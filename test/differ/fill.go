package differ

import (
	"context"
	"encoding"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"time"

	"entgo.io/ent/dialect"
	"github.com/shopspring/decimal"

	"forge/internal/database"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// filler fills a database with random rows, through ent's builders.
type filler struct {
	*rand.Rand
	app  App
	unit *unit.Unit
	keys map[string][]any // of the rows that are there, by entity
	// pairs holds what the rows in between join.
	pairs map[string]bool
}

// Fill stores random rows of all entities: edge values and NULLs, self edges, rows with many
// related rows and with none. The same seed leads to the same rows.
func Fill(ctx context.Context, app App, db *database.DB, seed uint64) error {
	u := unit.New(db, unit.Write)
	defer u.Rollback()
	f := &filler{rand.New(rand.NewPCG(seed, 3)), app, u, map[string][]any{}, map[string]bool{}}
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
			most := max(1, len(f.keys[e.Edges[i].To]))
			if err := f.join(ctx, e, &e.Edges[i], func(near, far int) bool { return near%5 < 4 && (f.IntN(most) <= 4 || far%7 == 0) }); err != nil {
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

// row stores a random row, unless it would need a related row that is not there.
func (f *filler) row(ctx context.Context, e *entity.Entity) error {
	missing, pair := false, e.Name
	return f.store(ctx, e, func(field *entity.Field, t reflect.Type) any {
		switch {
		case field == &e.Fields[0]:
			return f.newKey(e)
		case field.Refers != "":
			key := f.key(e, field)
			missing = missing || key == nil && !field.Nullable
			pair += fmt.Sprint(" ", key)
			return key
		case field.Nullable && f.IntN(4) == 0:
			return nil
		}
		all := f.stored(field.Kind, field, t)
		return all[f.IntN(len(all))]
	}, func() bool {
		if missing || !f.joins(e) {
			return missing
		}
		known := f.pairs[pair]
		f.pairs[pair] = true
		return known
	})
}

// joins reports whether the rows of an entity join others. A pair of rows is joined once.
func (f *filler) joins(e *entity.Entity) bool {
	return slices.ContainsFunc(f.app.API.Entities, func(other *entity.Entity) bool {
		return slices.ContainsFunc(other.Edges, func(edge entity.Edge) bool { return edge.Join == e.Name })
	})
}

// store stores a row with the values that value returns for its columns, the key first; nil is
// NULL. It stores nothing if skip returns true then.
func (f *filler) store(ctx context.Context, e *entity.Entity, value func(*entity.Field, reflect.Type) any, skip func() bool) error {
	create := part(reflect.ValueOf(f.app.Client(f.unit)).Elem(), e.Name).MethodByName("Create").Call(nil)[0]
	counted := false
	for i := range e.Fields {
		set, found := findMethod(create, "set"+folded(e.Fields[i].Column))
		if !found && i == 0 {
			counted = true // ent/schema does not declare the key, so the database counts it up
			f.keys[e.Name] = append(f.keys[e.Name], nil)
			continue
		}
		if !found {
			panic(fmt.Sprintf("%s has no method for the column %s", create.Type(), e.Fields[i].Column))
		}
		v := value(&e.Fields[i], set.Type().In(0))
		if i == 0 {
			f.keys[e.Name] = append(f.keys[e.Name], v)
		}
		if v != nil {
			set.Call([]reflect.Value{as(v, set.Type().In(0))})
		}
	}
	for _, field := range keysWithoutFields(e) {
		set, _ := findMethod(create, "set"+folded(field.Name))
		if v := value(&field, set.Type().In(0)); v != nil {
			set.Call([]reflect.Value{as(v, set.Type().In(0))})
		}
	}
	if skip() {
		f.keys[e.Name] = f.keys[e.Name][:len(f.keys[e.Name])-1]
		return nil
	}
	saved := create.MethodByName("Save").Call([]reflect.Value{reflect.ValueOf(ctx)})
	if err, _ := saved[1].Interface().(error); err != nil {
		return err
	}
	if counted {
		f.keys[e.Name][len(f.keys[e.Name])-1] = saved[0].Elem().FieldByName("ID").Int()
	}
	return nil
}

// keysWithoutFields returns the keys of edges that are no fields in ent/schema, as fields whose
// names are those of ent's setters. It leaves out edges to the own entity that may lead nowhere.
func keysWithoutFields(e *entity.Entity) (keys []entity.Field) {
	for _, edge := range e.Edges {
		known := slices.ContainsFunc(e.Fields, func(f entity.Field) bool { return f.Column == edge.Column })
		if edge.OwnKey && edge.Unique && !known && !(edge.Nullable && edge.To == e.Name) {
			keys = append(keys, entity.Field{Name: edge.Name + "_id", Column: edge.Column, Kind: entity.ID, Refers: edge.To, Nullable: edge.Nullable})
		}
	}
	return keys
}

// as returns a value as one of a type in ent/schema. A type that is made from a text makes itself,
// as url.URL does.
func as(v any, t reflect.Type) reflect.Value {
	of := reflect.ValueOf(v)
	if text, is := v.(string); is && !of.CanConvert(t) {
		made := reflect.New(t)
		if t.Kind() == reflect.Pointer {
			made = reflect.New(t.Elem())
		}
		var err error
		switch itself := made.Interface().(type) {
		case encoding.TextUnmarshaler:
			err = itself.UnmarshalText([]byte(text))
		case encoding.BinaryUnmarshaler:
			err = itself.UnmarshalBinary([]byte(text))
		}
		if err != nil {
			panic(err)
		}
		if t.Kind() != reflect.Pointer {
			made = made.Elem()
		}
		return made
	}
	return of.Convert(t)
}

// FillEach stores n rows of every entity, and returns their IDs by entity, in the order of their
// keys. Row i of one entity refers to row i of the others, and to itself by an edge to its own
// entity. A text consists of the name of its column and i. A number is i+1. Nullable columns have
// values as well, except for those that the API never shows: they could mark a row as deleted.
func FillEach(ctx context.Context, app App, db *database.DB, n int) (map[string][]ids.ID, error) {
	u := unit.New(db, unit.Write)
	defer u.Rollback()
	f := &filler{rand.New(rand.NewPCG(0, 0)), app, u, map[string][]any{}, map[string]bool{}}
	ctx = viewer.NewContext(ctx, viewer.System)
	rows := map[string][]ids.ID{}
	order := ParentsFirst(app.API.Entities)
	for _, e := range order {
		for i := range n {
			if err := f.store(ctx, e, func(field *entity.Field, t reflect.Type) any { return f.each(e, field, t, i) }, func() bool { return false }); err != nil {
				return nil, fmt.Errorf("row %d of %s: %w", i, e.Name, err)
			}
			if e.Fields[0].Refers == e.Name {
				rows[e.Name] = append(rows[e.Name], idOf(e, f.keys[e.Name][i]))
			}
		}
	}
	for _, e := range order {
		for i := range e.Edges {
			if err := f.join(ctx, e, &e.Edges[i], func(near, far int) bool { return near == far }); err != nil {
				return nil, fmt.Errorf("%s of %s: %w", e.Edges[i].Name, e.Name, err)
			}
		}
	}
	return rows, u.Commit(ctx)
}

// each returns the value of a column in row i.
func (f *filler) each(e *entity.Entity, field *entity.Field, t reflect.Type, i int) any {
	switch {
	case field == &e.Fields[0] && field.Refers == e.Name && e.Keys == ids.UUID:
		return entity.NewID()
	case field == &e.Fields[0] && field.Refers == e.Name:
		return f.newKey(e)
	case field.Refers != "" && len(f.keys[field.Refers]) > i:
		return f.keys[field.Refers][i]
	case field.Nullable && (field.Kind == entity.Time || field.Kind == entity.Bool) && e.Visible[field.Name] == entity.ToNobody:
		return nil
	}
	switch field.Kind {
	case entity.String:
		return textOf(e, field, i)
	case entity.Int, entity.BigInt, entity.Duration, entity.Float, entity.Float32:
		return i + 1
	case entity.Decimal:
		return decimal.New(int64(i+1), 0)
	case entity.Bool:
		return true
	case entity.Enum:
		return field.Values[i%len(field.Values)]
	case entity.LocalTime:
		return time.Date(0, 1, 1, 3, 4, i, 0, time.UTC)
	case entity.Time:
		return time.Date(2026, 1, 2, 3, 4, i, 0, time.UTC)
	case entity.Date:
		return time.Date(2026, 1, 1+i, 0, 0, 0, 0, time.UTC)
	case entity.Bytes:
		return []byte(textOf(e, field, i))
	}
	all := f.stored(field.Kind, field, t)
	if len(all) == 0 {
		return nil // of a kind that the API cannot show
	}
	return all[len(all)-1]
}

// textOf returns the name of the column and i. If the column holds the fold of another column, it
// returns the fold of the text in that column.
func textOf(e *entity.Entity, field *entity.Field, i int) string {
	for j := range e.Fields {
		if e.Fields[j].MatchBy == field.Column {
			return entity.Fold(textOf(e, &e.Fields[j], i))
		}
	}
	return fmt.Sprintf("%s-%d", field.Column, i)
}

// newKey returns a random key that no row has yet.
func (f *filler) newKey(e *entity.Entity) any {
	n := len(f.keys[e.Name])
	switch e.Keys {
	case ids.UUID:
		return f.stored(entity.UUID, nil, nil)[0]
	case ids.Number:
		return int64(n*n*n - 30)
	}
	return fmt.Sprintf("%s%d", AwkwardNames[f.IntN(len(AwkwardNames))], n)
}

func findMethod(v reflect.Value, name string) (_ reflect.Value, found bool) {
	for method := range v.Type().Methods() {
		if folded(method.Name) == name {
			return v.Method(method.Index), true
		}
	}
	return reflect.Value{}, false
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

// join stores which rows a many-to-many edge joins, by their numbers. It does nothing for other
// edges, for the same edge from its other end, and for one whose table is an entity.
func (f *filler) join(ctx context.Context, e *entity.Entity, edge *entity.Edge, joined func(near, far int) bool) error {
	if edge.Through == "" || edge.Join != "" || f.keys[edge.Through] != nil {
		return nil
	}
	f.keys[edge.Through] = []any{}
	places := "?, ?"
	if f.unit.Dialect() == dialect.Postgres {
		places = "$1, $2"
	}
	for i, near := range f.keys[e.Name] {
		for j, far := range f.keys[edge.To] {
			if !joined(i, j) {
				continue
			}
			if _, err := f.unit.Exec(ctx, fmt.Sprintf("INSERT INTO %s (%s, %s) VALUES (%s)", edge.Through, edge.Column, edge.Far, places), near, far); err != nil {
				return err
			}
		}
	}
	return nil
}
