package write

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"

	"entgo.io/ent/dialect/sql"
	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/apperr"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/input"
	"forge/internal/read"
	"forge/internal/scalar"
)

// MaxRows is how many rows a mutation may name in nested inputs, and change by a condition.
// maxInputs is how many rows one may create side by side.
const (
	MaxRows   = 10_000
	maxInputs = 1000
)

// Mutation is a standard mutation of an entity.
type Mutation struct {
	op      Op
	many    bool // it is about several rows, such as createXs
	name    string
	input   *inputObject // has no fields if the mutation takes no input
	uniques map[string]*unique
	keys    []*unique // all of the entity whose columns the input sets
	query   read.Query
	schema  *ast.Schema
	where   *ast.Definition // the type of the argument where; nil if there is none
}

// inputObject is an input object whose fields were bound. It says what is set in rows of an entity.
type inputObject struct {
	op     Op
	entity *entity.Entity
	fields []*field
	mutual bool // it may set an edge that both rows have
	// grouped says that rows which leave out different fields take statements of their own, because
	// the database has a value for such a field.
	grouped bool
	added   Functions
}

// Reader is the read engine.
type Reader interface {
	// Condition returns the condition of an argument where on the rows of an entity.
	Condition(ctx context.Context, e *entity.Entity, where map[string]any) (func(*sql.Selector), error)
	// Row returns what the viewer sees of some fields of a row, as JSON.
	Row(ctx context.Context, e *entity.Entity, id ids.ID, names []string) map[string]json.RawMessage
}

// Result is what a mutation has written.
type Result struct {
	IDs      []ids.ID // of the rows, in the order of the input
	Created  bool     // the row is new
	Affected int
	Left     []Left
}

// Left is an entry of an input that a mutation has left out.
type Left struct {
	Index int
	Err   error
}

// Run carries the mutation out with the arguments of its field, as gqlgen decodes them.
func (m *Mutation) Run(ctx context.Context, args map[string]any, rows Reader) (Result, error) {
	t := &tree{query: m.query, named: map[namedRow]string{}, held: map[*entity.Entity]bool{}, claimed: map[ids.ID]*Write{}}
	switch {
	case m.many && m.op == Create:
		return m.createAll(ctx, t, args)
	case m.many:
		return m.changeAll(ctx, t, args, rows)
	}
	t.alone = true
	w := newWrite(m.input, m.op, "input")
	m.decode(t, w, args)
	t.check(w, &t.faults)
	if err := t.faults.Err(); err != nil {
		return Result{}, err
	}
	created := m.op == Create
	_, t.upserts = args["onConflict"].(map[string]any)
	if err := t.findReferences(ctx, []*Write{w}, false); err != nil {
		return Result{}, err
	}
	var err error
	switch on, upserts := args["onConflict"].(map[string]any); {
	case upserts:
		update := text(on["do"]) == "UPDATE"
		created, err = t.upsert(ctx, w, m.uniques[text(on["on"])], m.keys, update)
		if err == nil && !created && !update {
			err = t.detach(ctx, []*Write{w})
		}
		err = cmp.Or(err, w.checkUpserted())
	case created:
		err = t.create(ctx, []*Write{w})
	default:
		err = w.withCurrent(ctx, t.update(ctx, w), rows)
	}
	return Result{IDs: []ids.ID{w.ID}, Created: created, Affected: 1}, err
}

// decode reads the arguments of a mutation of one row. It adds an error about each that is not of
// its type.
func (m *Mutation) decode(t *tree, w *Write, args map[string]any) {
	e := m.input.entity
	if id, ok := args["id"]; ok {
		if w.ID, ok = t.decodeKey("id", e, id); ok {
			w.target.ID = w.ID
			t.named[namedRow{id: w.ID}] = "id"
		}
	}
	object, _ := args["input"].(map[string]any)
	t.decode(w, object)
	if expected := args["expectedVersion"]; expected != nil {
		n, err := scalar.UnmarshalInt(expected)
		if err != nil {
			t.malformed("expectedVersion", nil, err)
		}
		w.target.Expected = new(int32(n))
	}
}

// decodeKey reads the ID of a row of the entity. It returns false, and adds an error, if it is
// none.
func (t *tree) decodeKey(path string, of *entity.Entity, sent any) (id ids.ID, ok bool) {
	if err := id.UnmarshalGQL(sent); err != nil {
		t.malformed(path, of, err)
		return id, false
	}
	if err := input.WantID(path, id, of.Prefix, of.Keys); err != nil {
		t.faults.Add(err)
		return id, false
	}
	return id, true
}

// createAll creates the rows of a list of inputs. With onError SKIP, it leaves out those that
// cannot be created.
func (m *Mutation) createAll(ctx context.Context, t *tree, args map[string]any) (r Result, err error) {
	inputs := graphql.CoerceList(args["input"])
	if len(inputs) > maxInputs {
		return r, apperr.BadInput("input", "input has %d %s; at most %d are allowed", len(inputs), m.name, maxInputs)
	}
	list := make([]*Write, len(inputs))
	for i, sent := range inputs {
		list[i] = newWrite(m.input, Create, "input."+strconv.Itoa(i))
		object, _ := sent.(map[string]any)
		t.decode(list[i], object)
	}
	skips := text(args["onError"]) == "SKIP" // values that are not of their types are refused anyway
	for _, w := range list {
		errs := &t.faults
		if skips {
			errs = new(apperr.Errors)
		}
		if t.check(w, errs); skips {
			w.left = errs.Err()
		}
	}
	if err := t.faults.Err(); err != nil {
		return r, err
	}
	if err := t.findReferences(ctx, list, skips); err != nil {
		return r, err
	}
	if skips {
		some := remaining(list)
		if err = t.createSome(ctx, some); err == nil {
			err = t.detach(ctx, slices.DeleteFunc(some, func(w *Write) bool { return w.left == nil }))
		}
	} else if len(list) > 0 {
		err = t.create(ctx, list)
	}
	for i, w := range list {
		if w.left != nil {
			r.Left = append(r.Left, Left{i, w.left})
			continue
		}
		r.IDs = append(r.IDs, w.ID)
	}
	r.Affected = len(r.IDs)
	return r, err
}

// changeAll changes or deletes the rows that fulfil a condition.
func (m *Mutation) changeAll(ctx context.Context, t *tree, args map[string]any, rows Reader) (r Result, err error) {
	e := m.input.entity
	n, err := scalar.UnmarshalInt(args["atMost"])
	if err != nil {
		return r, apperr.BadInput("atMost", "%s", err)
	}
	most, purpose := int(n), asksChange
	if m.op == Delete {
		purpose = asksRemoval
	}
	if most < 0 || most > MaxRows {
		return r, apperr.BadInput("atMost", "atMost is %d; it must be from 0 to %d", most, MaxRows)
	}
	w := newWrite(m.input, m.op, "input")
	object, _ := args["input"].(map[string]any)
	t.decode(w, object)
	t.check(w, &t.faults)
	if err := t.faults.Err(); err != nil {
		return r, err
	}
	where, _ := args["where"].(map[string]any)
	fulfils, err := rows.Condition(ctx, e, where) // which bounds their number
	if err != nil {
		return r, err
	}
	if err := whole(m.schema, m.where, where, "where", false); err != nil {
		return r, err
	}
	if err := t.findReferences(ctx, []*Write{w}, false); err != nil {
		return r, err
	}
	r.IDs, err = t.keys(ctx, e, purpose.mode(e), func(s *sql.Selector) {
		if fulfils != nil {
			fulfils(s)
		}
		s.Limit(most + 1)
	})
	if err != nil {
		return r, err
	}
	if len(r.IDs) > most {
		return r, apperr.BadInput("atMost", "more than %d rows fulfil the condition; at most %d are allowed (atMost), so nothing was changed", most, most)
	}
	if len(r.IDs) == 0 {
		return r, t.allowed(ctx, w)
	}
	if err := w.refuseRing(r.IDs); err != nil {
		return r, err
	}
	r.Affected = len(r.IDs)
	return r, t.change(ctx, w, r.IDs)
}

// allowed returns the error of the policy if the viewer may change no row at all, or not in this
// way. It is that of a mutation of one row. If rows are changed, ent asks the policy itself.
func (t *tree) allowed(ctx context.Context, w *Write) error {
	e, of := w.of.entity, *w.of
	if e.Policy == nil {
		return nil
	}
	of.added.Before = nil // is called for rows
	none := *w
	none.of = &of
	if err := t.fill(ctx, &none, func(s *sql.Selector) { s.Where(sql.False()) }); err != nil {
		return err
	}
	return e.Policy().EvalMutation(w.Op.within(ctx), none.Mutation.Mutation)
}

// firstLeft returns why the first of the rows that cannot be written is left out.
func firstLeft(list []*Write) error {
	for _, w := range list {
		if w.left != nil {
			return w.left
		}
	}
	return nil
}

// remaining returns the rows that are not left out.
func remaining(list []*Write) (rest []*Write) {
	for _, w := range list {
		if w.left == nil {
			rest = append(rest, w)
		}
	}
	return rest
}

// text returns a value that is a text, such as that of an enum, or "".
func text(value any) string {
	s, _ := value.(string)
	return s
}
