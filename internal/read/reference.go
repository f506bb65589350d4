package read

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"entgo.io/ent/dialect/sql"
	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/apperr"
	"forge/internal/ids"
	"forge/internal/read/encode"
	"forge/internal/read/load"
	"forge/internal/read/plan"
)

// identified is a value that a resolver returns to refer to an entity. Only its ID is used.
type identified interface{ GetID() ids.ID }

// referenceTo returns the ID of the entity that a resolver refers to. It returns an error if the
// value has no ID, or has more than an ID set.
func referenceTo(value any) (ids.ID, error) {
	of, ok := value.(identified)
	if !ok {
		return ids.ID{}, fmt.Errorf("read: a resolver returned a %T, which has no ID to read it by", value)
	}
	return of.GetID(), checkBare(value)
}

// checkBare returns an error if the value that a resolver returned has anything but an ID set.
func checkBare(value any) error {
	v := reflect.Indirect(reflect.ValueOf(value))
	if v.Kind() != reflect.Struct {
		return nil
	}
	for i := range v.NumField() {
		if field := v.Type().Field(i); field.IsExported() && field.Name != "ID" && !v.Field(i).IsZero() {
			return fmt.Errorf("read: a resolver has set %s of the %T that it returned, which would not be answered: it refers by ID alone, and the rest is read",
				field.Name, value)
		}
	}
	return nil
}

func isNil(value any) bool {
	if value == nil {
		return true
	}
	v := reflect.ValueOf(value)
	return v.Kind() == reflect.Pointer && v.IsNil()
}

// pending is a field whose resolver has returned a reference: to one entity, to a list of entities,
// or to a connection. Its rows are loaded when gqlgen is done; see resolution.
type pending struct {
	loaders *loaders
	path    ast.Path // see pathOf
	up      int      // see encode.Reference

	entries []entry // the entities; of a field that is no list, one

	written bool // a standard mutation has written the entities

	restrict []func(*sql.Selector) // the conditions of a connection
	page     *loaded               // the connection
}

// entry is one entity that a resolver has referred to.
type entry struct {
	id     ids.ID
	key    ids.Key
	loader *load.Loader // nil in the place of null
	from   *loaded
	place  int32 // the place of the ID among the keys of from
}

// entriesOf returns the entities that a resolver has returned for a field.
func (e *Engine) entriesOf(l *loaders, value any) ([]entry, error) {
	list := reflect.ValueOf(value)
	if list.Kind() != reflect.Slice {
		one, err := e.entryOf(l, value, "id")
		return []entry{one}, err
	}
	if list.Len() > plan.MaxPage && len(l.field.Arguments) > 0 && e.binding.IsNode(l.field.Definition.Type.Name()) {
		return nil, apperr.BadInput("ids", "%d IDs; up to %d are allowed", list.Len(), plan.MaxPage)
	}
	entries := make([]entry, list.Len())
	for i := range entries {
		value := list.Index(i).Interface()
		if isNil(value) {
			continue
		}
		var err error
		if entries[i], err = e.entryOf(l, value, "ids."+strconv.Itoa(i)); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

func (e *Engine) entryOf(l *loaders, value any, argument string) (of entry, err error) {
	if of.id, err = referenceTo(value); err != nil {
		return of, err
	}
	of.loader, of.key, err = e.loaderFor(l, of.id, argument)
	return of, err
}

// Up implements encode.Reference.
func (p *pending) Up() int { return p.up }

// Write implements encode.Reference.
func (p *pending) Write(w *encode.Writer) bool {
	return w.Refer(p.path, nil, nil, func() bool {
		switch {
		case p.loaders.connection != nil:
			return p.writePage(w)
		case p.loaders.field.Definition.Type.Elem != nil:
			return p.writeList(w)
		}
		ok, found := p.entries[0].write(w, p.loaders.field)
		switch {
		case found || !p.loaders.field.Definition.Type.NonNull:
		case p.written:
			w.Fail(p.loaders.field, p.unseen())
		default:
			w.Missing()
		}
		return ok
	})
}

// unseen returns the error that a mutation has written rows that the viewer may not read, and is to
// show them. It is undone.
func (p *pending) unseen() error {
	return apperr.Forbidden("", "you may not see what this writes, so it was not done; do it without asking for %s", p.loaders.field.Name)
}

func (p *pending) writePage(w *encode.Writer) bool {
	if p.page.err != nil {
		w.Fail(p.loaders.field, p.page.err)
		return false
	}
	return w.Refer(nil, p.page.Results, p.page.computed, func() bool { return w.Connection(p.loaders.connection.Plan.Connection, 0) })
}

// writeList writes a list of entities. It has null in the place of an ID that no row has, if the
// type of its entries allows null. If not, the list has no value.
func (p *pending) writeList(w *encode.Writer) bool {
	required := p.loaders.field.Definition.Type.Elem.NonNull
	w.Bytes = append(w.Bytes, '[')
	for i := range p.entries {
		of := &p.entries[i]
		if of.from != nil && of.from.err != nil {
			w.Fail(p.loaders.field, of.from.err)
			return false
		}
		if i > 0 {
			w.Bytes = append(w.Bytes, ',')
		}
		start, found := len(w.Bytes), false
		ok := w.Refer(ast.Path{ast.PathIndex(i)}, nil, nil, func() (ok bool) {
			ok, found = of.write(w, p.loaders.field)
			return ok
		})
		switch {
		case ok:
			continue
		case !found && required && p.written:
			w.Fail(p.loaders.field, p.unseen())
			return false
		case !found && required:
			w.Fail(p.loaders.field, fmt.Errorf("read: %s is not there any more", of.id))
			return false
		case required || w.Budget.Exceeded():
			return false
		}
		w.Bytes = append(w.Bytes[:start], "null"...)
	}
	w.Bytes = append(w.Bytes, ']')
	return true
}

// write writes the entity. It reports whether it could be written, and whether it is there. An
// entity that could not be loaded counts as there.
func (of *entry) write(w *encode.Writer, f *ast.Field) (ok, found bool) {
	if of.from == nil {
		return false, false
	}
	if of.from.err != nil {
		w.Fail(f, of.from.err)
		return false, true
	}
	p := of.loader.Plan
	row := of.from.Results[p.Root.Index].Groups.At(of.place)
	if len(row) == 0 {
		return false, false
	}
	return w.Refer(nil, of.from.Results, of.from.computed, func() bool { return w.Object(p.Object, int(row[0])) }), true
}

// levelsUp returns how many of the JSON values around a field have no value if the field has none.
// It looks no further than to the root of the operation, or to the computed field around.
func levelsUp(fc *graphql.FieldContext) int {
	if !fc.Field.Definition.Type.NonNull {
		return 0
	}
	up := 1 // the object around
	for around := fc.Parent; around != nil; around = around.Parent {
		depth := 0 // of the lists
		for ; around != nil && around.Index != nil; around = around.Parent {
			depth++
		}
		if around == nil || around.Field.Field == nil || around.Field.Definition == nil {
			return up
		}
		types := []*ast.Type{around.Field.Definition.Type}
		for range depth {
			types = append(types, types[len(types)-1].Elem)
		}
		for _, t := range slices.Backward(types) {
			if !t.NonNull {
				return up
			}
			up++
		}
	}
	return up
}

// loaderFor returns the loader for the type that an ID belongs to, and the key in the ID. If the
// field cannot have that type, or the key is not of its form, it returns an error that names the
// argument.
func (e *Engine) loaderFor(l *loaders, id ids.ID, argument string) (*load.Loader, ids.Key, error) {
	o := e.binding.Prefixes[id.Prefix]
	if o != nil && l.types[o.Entity.Name] != nil {
		key, ok := id.Key(o.Key.Form)
		if !ok {
			return nil, key, apperr.BadInput(argument, "%s", ids.Malformed(id).Wanted(id.Prefix, o.Key.Form))
		}
		return l.types[o.Entity.Name], key, nil
	}
	if len(l.types) == 1 {
		for _, only := range l.types {
			return nil, ids.Key{}, apperr.BadInput(argument, "%s is the ID of something else: one of the form %s_… is wanted", id, only.Plan.Root.Object.Entity.Prefix)
		}
	}
	return nil, ids.Key{}, apperr.BadInput(argument, "%s is not the ID of anything that can be read", id)
}
