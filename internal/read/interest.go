package read

import (
	"context"
	"fmt"
	"slices"
	"strings"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/apperr"
	"forge/internal/changes"
	"forge/internal/ids"
	"forge/internal/read/binding"
	"forge/internal/read/plan"
	readsql "forge/internal/read/sql"
	"forge/internal/rule"
	"forge/internal/viewer"
)

// hearing says of which changes of an entity's rows a viewer hears.
type hearing struct {
	rule.Hearing
	of     *binding.Object
	viewer uuid.UUID
	owner  string // how a reference to the row's owner begins; "" if rows are owned by their key, or not at all
}

func (e *Engine) hearing(ctx context.Context, o *binding.Object) *hearing {
	h := &hearing{Hearing: rule.Hears(ctx, o.Entity), of: o, viewer: viewer.FromContext(ctx).ID}
	if h.Owner != "" && h.Owner != o.Key.Name {
		h.owner = h.Owner + "="
	}
	return h
}

// hear returns what the viewer may hear of a change.
func (h *hearing) hear(c *changes.Change) (of heard, err error) {
	of.kind, of.of = c.Op, h.of
	if c.Op == changes.Many {
		return of, nil
	}
	if of.id, err = idOf(h.of, c.Key); err != nil {
		return of, err
	}
	of.key, _ = of.id.Key(h.of.Key.Form)
	of.asks, of.owns = !h.All, !h.All && h.owns(c)
	return of, nil
}

// owns reports whether the viewer owned the row before or after the change, by a column.
func (h *hearing) owns(c *changes.Change) bool {
	if h.Owner != "" && h.owner == "" {
		id, err := uuid.Parse(c.Key)
		return err == nil && id == h.viewer
	}
	return h.owner != "" && slices.ContainsFunc(c.Refs, func(ref string) bool {
		key, is := strings.CutPrefix(ref, h.owner)
		if !is {
			return false
		}
		id, err := uuid.Parse(key)
		return err == nil && id == h.viewer
	})
}

// may reports whether the viewer may hear of a change of a row, as far as the change itself tells.
func (h *hearing) may(c *changes.Change) bool {
	return h.All || h.Reads || h.owns(c) || h.Owner != "" && c.Refs == nil
}

// interest is which changes a field of Subscription tells a viewer of. It does not change.
type interest struct {
	hearings map[string]*hearing // by the prefixes of the entities that are asked for
	kinds    []changes.Op        // nil: all
	keys     map[ids.Key]bool    // of the rows; nil: all
	refs     []refs
}

// refs says which rows a row is to refer to by a foreign key.
type refs struct {
	begins string // how a reference begins
	of     binding.ForeignKey
	keys   map[ids.Key]bool
}

// Selects returns a function that reports whether a field of Subscription may tell the viewer of
// ctx of a change. It asks no database, so some changes that it selects are not told after all. A
// change that names no row is always told. The function is safe for concurrent use. Selects returns
// a BAD_USER_INPUT error, which names the argument, for IDs of something else.
func (e *Engine) Selects(ctx context.Context, f *ast.Field, variables map[string]any) (func(*changes.Change) bool, error) {
	i, err := e.interest(ctx, f.Name, f.ArgumentMap(variables))
	if err != nil {
		return nil, err
	}
	return i.selects, nil
}

func (e *Engine) interest(ctx context.Context, field string, args map[string]any) (*interest, error) {
	i := &interest{hearings: map[string]*hearing{}}
	if args["kinds"] != nil {
		i.kinds = []changes.Op{}
		for _, name := range plan.List(args["kinds"]) {
			i.kinds = append(i.kinds, opOf(fmt.Sprint(name)))
		}
	}
	typed := e.binding.Changes.Typed[field]
	if typed == nil {
		for _, prefix := range e.prefixes(args["types"]) {
			i.hearings[prefix] = e.hearing(ctx, e.binding.Prefixes[prefix])
		}
		return i, nil
	}
	o := typed.Object
	i.hearings[o.Entity.Prefix] = e.hearing(ctx, o)
	var err error
	if i.keys, err = keysIn("ids", args["ids"], o.Entity.Prefix, o.Key.Form); err != nil {
		return nil, err
	}
	for name, key := range typed.Keys {
		if args[name] == nil {
			continue
		}
		if key.Closed && viewer.RoleOf(ctx) != viewer.Admin {
			return nil, apperr.Forbidden(name, "only an administrator may ask by this")
		}
		of := refs{begins: key.Column + "=", of: key}
		if of.keys, err = keysIn(name, args[name], key.Prefix, key.Form); err != nil {
			return nil, err
		}
		i.refs = append(i.refs, of)
	}
	return i, nil
}

// opOf returns the operation of a value of ChangeKind.
func opOf(kind string) changes.Op {
	for op, name := range kinds {
		if name == kind {
			return op
		}
	}
	return 0
}

// keysIn returns the keys in an argument with IDs, or nil if it has no value.
func keysIn(argument string, value any, prefix string, form ids.Form) (map[ids.Key]bool, error) {
	if value == nil {
		return nil, nil
	}
	keys := map[ids.Key]bool{}
	for n, entry := range plan.List(value) {
		text, _ := entry.(string)
		at := fmt.Sprintf("%s.%d", argument, n)
		id, err := ids.Parse(text)
		if err != nil {
			return nil, apperr.BadInput(at, "%s", err.(*ids.MalformedError).Wanted(prefix, form))
		}
		key, ok := id.Key(form)
		switch {
		case id.Prefix != prefix:
			return nil, apperr.BadInput(at, "%s is the ID of something else: one of the form %s_… is wanted", id, prefix)
		case !ok:
			return nil, apperr.BadInput(at, "%s", ids.Malformed(id).Wanted(prefix, form))
		}
		keys[key] = true
	}
	return keys, nil
}

// selects reports whether a change is one to tell of, as far as the change itself tells.
func (i *interest) selects(c *changes.Change) bool {
	h := i.hearings[c.Type]
	switch {
	case h == nil:
		return false
	case c.Op == changes.Many:
		return true
	case !i.tells(c.Op) && (h.All || !i.tells(changes.Removed)): // what is no longer seen counts as removed
		return false
	case i.keys != nil && !hasKey(i.keys, c.Key, h.of.Key.Form):
		return false
	}
	for n := range i.refs {
		if c.Refs != nil && !i.refs[n].among(c.Refs) {
			return false
		}
	}
	return h.may(c)
}

// tells reports whether changes of a kind are told. Those that name no row always are.
func (i *interest) tells(op changes.Op) bool {
	return i == nil || i.kinds == nil || op == changes.Many || slices.Contains(i.kinds, op)
}

func hasKey(keys map[ids.Key]bool, text string, form ids.Form) bool {
	if form != ids.UUID {
		return keys[ids.Key{Text: text}]
	}
	id, err := uuid.Parse(text)
	return err == nil && keys[ids.Key{UUID: id}]
}

// among reports whether one of a change's references is to one of the rows.
func (r *refs) among(list []string) bool {
	for _, ref := range list {
		if key, is := strings.CutPrefix(ref, r.begins); is && hasKey(r.keys, key, r.of.Form) {
			return true
		}
	}
	return false
}

// unclear reports whether the row has to be read to know what it refers to: the change is one of
// another row.
func (i *interest) unclear(c *changes.Change) bool {
	return i != nil && len(i.refs) > 0 && c.Op != changes.Many && c.Refs == nil
}

// conditions returns the conditions that a row refers to what it is to refer to.
func (i *interest) conditions(db string) (all []func(*entsql.Selector)) {
	for _, r := range i.refs {
		var keys []ids.Key
		for key := range r.keys {
			keys = append(keys, key)
		}
		has := readsql.HasKey(db, r.of.Column, r.of.Form, keys)
		all = append(all, func(s *entsql.Selector) { s.Where(has(s)) })
	}
	return all
}

// LookUp is a field of Query that looks one entity up by its ID.
type LookUp struct {
	Prefix string // of the entity's IDs
	key    ids.Key
	form   ids.Form
}

// Reads reports whether a change of the type may be one of the row that is looked up.
func (l *LookUp) Reads(c *changes.Change) bool {
	return c.Op == changes.Many || hasKey(map[ids.Key]bool{l.key: true}, c.Key, l.form)
}

// LookUp returns what a field of Query looks up. It returns nil if the field is no look-up by one
// valid ID whose resolver only refers to the entity.
func (e *Engine) LookUp(f *ast.Field, variables map[string]any) *LookUp {
	args := f.ArgumentMap(variables)
	text, _ := args["id"].(string)
	id, err := ids.Parse(text)
	of := e.binding.Prefixes[id.Prefix]
	if err != nil || len(args) != 1 || of == nil || !e.binding.Refers(f.Name) {
		return nil
	}
	key, ok := id.Key(of.Key.Form)
	if !ok {
		return nil
	}
	return &LookUp{id.Prefix, key, of.Key.Form}
}
