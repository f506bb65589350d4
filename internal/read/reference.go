package read

import (
	"context"
	"fmt"
	"io"
	"reflect"
	"strconv"

	"entgo.io/ent/dialect"
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
	return (v.Kind() == reflect.Pointer || v.Kind() == reflect.Slice) && v.IsNil()
}

// list returns the JSON of a field that is a list of entities, of one type or of several. The list
// has null in the place of an ID that no row has, if the type of its entries allows null.
func (r *reading) list(ctx context.Context, values reflect.Value) (any, error) {
	if values.Len() > plan.MaxPage && r.loaders.field.Definition.Arguments.ForName("ids") != nil && r.engine.binding.IsAbstract(r.loaders.field.Definition.Type.Name()) {
		return nil, apperr.BadInput("ids", "%d IDs; up to %d are allowed", values.Len(), plan.MaxPage)
	}
	wanted := make([]ids.ID, values.Len())
	batches := map[*load.Loader]*sameType{}
	var order []*sameType
	for i := range wanted {
		value := values.Index(i).Interface()
		if isNil(value) {
			continue
		}
		var err error
		if wanted[i], err = referenceTo(value); err != nil {
			return nil, err
		}
		l, key, err := r.engine.loaderFor(r.loaders, wanted[i], "ids."+strconv.Itoa(i))
		if err != nil {
			return nil, err
		}
		if batches[l] == nil {
			batches[l] = &sameType{loader: l, places: map[ids.Key]int32{}}
			order = append(order, batches[l])
		}
		batches[l].add(key)
	}
	if err := r.load(ctx, order); err != nil {
		return nil, err
	}
	objects := make([]graphql.Marshaler, len(wanted))
	for _, b := range order {
		r.each(ctx, b, wanted, objects)
	}
	return joined(r.loaders.field, wanted, objects)
}

// sameType holds those entities of a list that have the same type.
type sameType struct {
	loader  *load.Loader
	loading *load.Loading // nil until the entities are loaded
	keys    []ids.Key
	places  map[ids.Key]int32 // the index of each key in keys
}

func (b *sameType) add(key ids.Key) {
	if _, known := b.places[key]; !known {
		b.places[key] = int32(len(b.keys))
		b.keys = append(b.keys, key)
	}
}

// load loads the entities of each type: on PostgreSQL those of all types with one statement, if it
// does not become too large.
func (r *reading) load(ctx context.Context, batches []*sameType) error {
	loadings, statements := make([]*load.Loading, len(batches)), 0
	for i, b := range batches {
		b.loading = &load.Loading{Loader: b.loader, Request: r.request, Keys: b.keys}
		if err := b.loading.Prepare(ctx); err != nil {
			return err
		}
		loadings[i] = b.loading
		statements += b.loader.Plan.Statements()
	}
	if r.request.Dialect == dialect.Postgres && len(batches) > 1 && statements <= load.MaxTree {
		return load.RunTogether(ctx, loadings...)
	}
	for _, l := range loadings {
		if err := l.Run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// each writes each of the entities of one type to its place in objects.
func (r *reading) each(ctx context.Context, b *sameType, wanted []ids.ID, objects []graphql.Marshaler) {
	for i, id := range wanted {
		if id.Prefix != b.loader.Plan.Root.Object.Entity.Prefix { // of another type, or null
			continue
		}
		found := b.loading.Results[b.loader.Plan.Root.Index].Groups.At(b.places[ids.Key{UUID: id.UUID, Text: id.Text}])
		if len(found) == 0 {
			continue
		}
		objects[i] = r.write(ctx, b.loading, func(w *encode.Writer) bool {
			w.Path = append(w.Path, ast.PathIndex(i))
			return w.Object(b.loader.Plan.Object, int(found[0]))
		})
	}
}

// joined returns the objects as one JSON list. If an object is missing and the list may not hold
// null, the field has no value.
func joined(f *ast.Field, wanted []ids.ID, objects []graphql.Marshaler) (any, error) {
	required := f.Definition.Type.Elem.NonNull
	size := len(objects) + len("[]")
	for _, object := range objects {
		text, ok := object.(written)
		if size += len(text); !ok {
			size += len("null")
		}
	}
	b := append(make(written, 0, size), '[')
	for i, object := range objects {
		if i > 0 {
			b = append(b, ',')
		}
		text, ok := object.(written)
		switch {
		case ok:
			b = append(b, text...)
		case !required:
			b = append(b, "null"...)
		case object == nil:
			return nil, fmt.Errorf("read: %s is not there any more", wanted[i])
		default:
			return graphql.Null, nil
		}
	}
	return append(b, ']'), nil
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

// written is the finished JSON of a field.
type written []byte

// MarshalGQL writes the JSON unchanged.
func (b written) MarshalGQL(w io.Writer) { _, _ = w.Write(b) }
