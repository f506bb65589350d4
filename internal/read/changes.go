package read

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"

	"entgo.io/ent/dialect"
	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/apperr"
	"forge/internal/changes"
	"forge/internal/cursorcipher"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/read/binding"
	"forge/internal/read/encode"
	"forge/internal/read/load"
	"forge/internal/read/plan"
	"forge/internal/unit"
)

// log is the log of changes, as the API shows it.
type log struct {
	of     map[string]*changes.Log // by the kind of database
	cipher *cursorcipher.Cipher
	exists sync.Map // *binding.Object to *load.Loader, of which rows there are
}

// newLog returns the log of entities. It returns nil if the API does not show it.
func newLog(b *binding.Binding, entities []*entity.Entity, cipher *cursorcipher.Cipher) *log {
	if b.Changes == nil {
		return nil
	}
	l := &log{of: map[string]*changes.Log{}, cipher: cipher}
	for _, name := range []string{dialect.Postgres, dialect.SQLite} {
		l.of[name] = changes.New(nil, name, entities)
	}
	return l
}

// changeCursor is the purpose of the cursors of changes; see cursorcipher.Cipher.
const changeCursor = 0x6368616e

// cursor returns a position as a cursor.
func (l *log) cursor(p changes.Position) string {
	b := binary.AppendVarint(binary.AppendVarint(binary.AppendVarint(nil, p.Tick), int64(p.Mark)), p.Seq)
	return string(l.cipher.Append(nil, changeCursor, b))
}

// position returns the position in a cursor.
func (l *log) position(cursor string) (p changes.Position, err error) {
	b, err := l.cipher.Open(cursor, changeCursor)
	var numbers [3]int64
	for i := range numbers {
		n, size := binary.Varint(b)
		if err != nil || size <= 0 {
			return p, apperr.BadInput("after", "this is not a cursor of changes: take one from changeCursor, or from an answer with changes")
		}
		numbers[i], b = n, b[size:]
	}
	return changes.Position{Tick: numbers[0], Mark: int32(numbers[1]), Seq: numbers[2]}, nil
}

// in returns the log as the unit of work sees it: in the same state of the database as its other
// reads.
func (l *log) in(u *unit.Unit) *changes.Log { return l.of[u.Dialect()].Through(u.Rows) }

// ShowsChanges reports whether a root field is one that Changes answers.
func (e *Engine) ShowsChanges(f *ast.Field) bool {
	switch {
	case e.log == nil:
		return false
	case f.ObjectDefinition == e.binding.Schema.Subscription:
		return f.Name != binding.Live && f.Definition != nil && e.binding.Changes.Pages[f.Definition.Type.Name()]
	}
	return f.ObjectDefinition == e.binding.Schema.Query && binding.IsOfChanges(f.Name)
}

// Changes returns the value of a root field for which ShowsChanges is true: the cursor after all
// changes, or changes after a cursor. A field of Subscription has the changes of the Following of
// ctx. Changes is called within Execute, with the context of the field.
func (e *Engine) Changes(ctx context.Context) (graphql.Marshaler, error) {
	u, field := unit.FromContext(ctx), graphql.GetFieldContext(ctx).Field
	if field.Name == "changeCursor" {
		at, err := e.log.in(u).End(ctx)
		if err != nil {
			return nil, err
		}
		return written([]byte(plan.Quoted(e.log.cursor(at)))), nil
	}
	args := field.ArgumentMap(graphql.GetOperationContext(ctx).Variables)
	read := e.readChanges
	if field.ObjectDefinition == e.binding.Schema.Subscription {
		read = e.follow
	}
	p, err := read(ctx, u, field, args)
	if err != nil {
		return nil, err
	}
	b, err := p.append(ctx, field)
	if err != nil {
		return nil, err
	}
	return written(b), nil
}

func written(b []byte) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = w.Write(b) })
}

// changesPage are the changes that the viewer hears of, and the cursor after them.
type changesPage struct {
	*Engine
	of         *interest // nil: all changes
	resolution *resolution
	cursor     string
	list       []heard
}

// heard is a change that the viewer hears of.
type heard struct {
	kind changes.Op
	id   ids.ID // zero if the change names no row
	of   *binding.Object
	key  ids.Key
	// asks says that the viewer hears of the change only if they may see the row now, or if owns
	// is true.
	asks, owns bool
	// unclear says that the viewer hears of the change only if the row refers to what they asked
	// for.
	unclear bool
	at      changes.Position // after the change
}

// leastChanges is how many changes are read for a page at least. With fewer, pages without changes
// would tell a viewer how many there were that they do not hear of.
const leastChanges = 200

func (e *Engine) readChanges(ctx context.Context, u *unit.Unit, _ graphql.CollectedField, args map[string]any) (*changesPage, error) {
	most, err := plan.FirstChanges(args["first"])
	if err != nil {
		return nil, err
	}
	text, _ := args["after"].(string)
	after, err := e.log.position(text)
	if err != nil {
		return nil, err
	}
	log := e.log.in(u)
	list, next, err := log.Read(ctx, after, max(most, leastChanges), e.prefixes(args["types"])...)
	if err != nil {
		return nil, e.log.failed(ctx, log, err)
	}
	p, err := e.pageOf(ctx, list, next, nil)
	if err == nil && len(p.list) > most {
		p.list = p.list[:most]
		p.cursor = e.log.cursor(p.list[most-1].at)
	}
	return p, err
}

// pageOf returns a page of those changes that the viewer hears of and that are of interest. No
// interest is one in all changes.
func (e *Engine) pageOf(ctx context.Context, list []changes.Change, next changes.Position, of *interest) (*changesPage, error) {
	p := &changesPage{Engine: e, of: of, resolution: ctx.Value(resolutionKey{}).(*resolution), cursor: e.log.cursor(next)}
	hearings := map[string]*hearing{}
	for i := range list {
		c := &list[i]
		if hearings[c.Type] == nil {
			hearings[c.Type] = e.hearing(ctx, e.binding.Prefixes[c.Type])
		}
		h, err := hearings[c.Type].hear(c)
		if err != nil {
			return nil, err
		}
		if of.unclear(c) {
			h.asks, h.owns, h.unclear = true, false, true
		}
		h.at = c.At
		p.list = append(p.list, h)
	}
	if err := p.filter(ctx); err != nil {
		return nil, err
	}
	p.list = slices.DeleteFunc(p.list, func(h heard) bool { return !of.tells(h.kind) })
	return p, nil
}

// prefixes returns the prefixes of the types in an argument, or of all types.
func (e *Engine) prefixes(argument any) (prefixes []string) {
	if argument == nil {
		for _, o := range e.binding.Changes.Types {
			prefixes = append(prefixes, o.Entity.Prefix)
		}
		return prefixes
	}
	prefixes = []string{}
	for _, name := range plan.List(argument) {
		if o := e.binding.Changes.Types[fmt.Sprint(name)]; o != nil {
			prefixes = append(prefixes, o.Entity.Prefix)
		}
	}
	return prefixes
}

// failed returns the error for the client if the log cannot be read on from a cursor.
func (l *log) failed(ctx context.Context, log *changes.Log, err error) error {
	switch {
	case errors.Is(err, changes.ErrLost):
		return &apperr.Error{Code: apperr.CodeCursorLost, Field: "after",
			Message: "this cursor is not one of this database, which may have been restored from a backup: read everything anew, and go on from changeCursor"}
	case !errors.Is(err, changes.ErrExpired):
		return err
	}
	oldest, failed := log.Oldest(ctx)
	if failed != nil {
		return failed
	}
	return &apperr.Error{Code: apperr.CodeCursorExpired, Field: "after", More: map[string]any{"oldest": l.cursor(oldest)},
		Message: "the changes after this cursor are no longer kept: read everything anew, and go on from changeCursor"}
}

// idOf returns the ID of a row by the text of its key in the log.
func idOf(o *binding.Object, key string) (ids.ID, error) {
	if o.Key.Form != ids.UUID {
		return ids.ID{Prefix: o.Entity.Prefix, Text: key}, nil
	}
	id, err := uuid.Parse(key)
	return ids.ID{Prefix: o.Entity.Prefix, UUID: id}, err
}

// filter takes out the changes that the viewer does not hear of. It looks for the rows that decide
// it. A row that was theirs, and that they no longer see, counts as removed.
func (p *changesPage) filter(ctx context.Context) error {
	there := map[rowsAsked]*loaded{}
	for _, h := range p.list {
		if !h.asks {
			continue
		}
		l := there[h.rows()]
		if l == nil {
			l = &loaded{Loading: load.Loading{Loader: p.log.existence(p.binding, h.of), Request: p.request(ctx, p.resolution.op)}}
			if h.unclear {
				l.Request.Restrict = p.of.conditions(l.Request.Dialect)
			}
			there[h.rows()] = l
		}
		l.add(h.key)
	}
	if len(there) == 0 {
		return nil
	}
	all := slices.Collect(maps.Values(there))
	for _, l := range all {
		l.err = p.resolution.protected(ctx, func() error { return l.Prepare(ctx) })
	}
	p.resolution.run(ctx, all)
	for _, l := range all {
		if l.err != nil {
			return l.err
		}
	}
	kept := p.list[:0]
	for _, h := range p.list {
		seen := !h.asks || there[h.rows()].has(h.key)
		if !seen && h.owns {
			h.kind = changes.Removed
		}
		if seen || h.owns {
			kept = append(kept, h)
		}
	}
	p.list = kept
	return nil
}

// rowsAsked are rows that are looked for together.
type rowsAsked struct {
	of      *binding.Object
	unclear bool
}

func (h *heard) rows() rowsAsked { return rowsAsked{h.of, h.unclear} }

// has reports whether a row with a key was found.
func (l *loaded) has(key ids.Key) bool {
	return len(l.Results[l.Loader.Plan.Root.Index].Groups.At(l.places[key])) > 0
}

// existence returns the loader that tells which rows of an entity the viewer may see.
func (l *log) existence(b *binding.Binding, o *binding.Object) *load.Loader {
	if known, ok := l.exists.Load(o); ok {
		return known.(*load.Loader)
	}
	def := b.Schema.Types[o.Entity.Name]
	id := &ast.Field{Alias: "id", Name: "id", Definition: def.Fields.ForName("id"), ObjectDefinition: def}
	one := &ast.Field{Alias: "node", Name: "node", Definition: &ast.FieldDefinition{Name: "node", Type: ast.NamedType(def.Name, nil)}, ObjectDefinition: b.Schema.Query}
	loader := load.New(plan.Compile(b, nil, one, ast.SelectionSet{id}).Types[def.Name])
	known, _ := l.exists.LoadOrStore(o, loader)
	return known.(*load.Loader)
}

// append writes the page, with marks in the places of the rows.
func (p *changesPage) append(ctx context.Context, field graphql.CollectedField) ([]byte, error) {
	return p.appendObject(nil, p.resolution, field.Definition.Type.Name(), field.Selections, func(b []byte, f *plan.Collected) ([]byte, error) {
		if f.Field.Name == "cursor" {
			return append(b, plan.Quoted(p.cursor)...), nil
		}
		ctx := graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: field.Definition.Type.Name(), Field: graphql.CollectedField{Field: f.Field, Selections: f.Selections}})
		n := -1
		return appendList(b, p.list, func(b []byte, h heard) ([]byte, error) {
			n++
			index := n
			return p.appendChange(graphql.WithFieldContext(ctx, &graphql.FieldContext{Index: &index}), b, f, h)
		})
	})
}

var kinds = map[changes.Op]string{changes.Created: "CREATED", changes.Updated: "UPDATED", changes.Removed: "REMOVED", changes.Many: "MANY"}

func (p *changesPage) appendChange(ctx context.Context, b []byte, of *plan.Collected, h heard) ([]byte, error) {
	name := of.Field.Definition.Type.Name()
	return p.appendObject(b, p.resolution, name, of.Selections, func(b []byte, f *plan.Collected) ([]byte, error) {
		switch {
		case f.Field.Name == "kind":
			return append(b, plan.Quoted(kinds[h.kind])...), nil
		case h.kind == changes.Many:
			return append(b, "null"...), nil
		case f.Field.Name == "id":
			return append(b, plan.Quoted(h.id.String())...), nil
		}
		row, err := p.shown(ctx, p.resolution, graphql.CollectedField{Field: f.Field, Selections: f.Selections}, []ids.ID{h.id})
		if err != nil {
			return b, err
		}
		return encode.AppendMark(b, p.resolution.add(row)), nil
	})
}
