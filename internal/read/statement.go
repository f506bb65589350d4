package read

import (
	"context"
	"reflect"
	"slices"
	"sync"

	"entgo.io/ent/dialect/sql"

	"forge/internal/entity"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// statement is a query as ent has written it, with parameters in the place of the arguments that differ from one time to the next.
type statement struct {
	unit.Statement
	asked  []answered
	shared *shared // nil if it may not be
}

// parameter stands for such an argument.
type parameter struct {
	of    source
	index int // of a cursor's value
}

type source int

const (
	theKeys source = iota // of the rows above: the one, or a list
	theOffset
	theEnd // offset and size of a page
	afterValue
	beforeValue
	theViewer // the ID of whoever asks
)

// arguments puts values in the place of parameters.
func (s *statement) arguments(value func(parameter) any) []any {
	args := slices.Clone(s.Args)
	for i, arg := range args {
		if p, ok := arg.(parameter); ok {
			args[i] = value(p)
		}
	}
	return args
}

// written has ent write the query that shape makes of the entity's rows.
func (r *run) written(ctx context.Context, e *entity.Entity, theViewer any, shape func(*sql.Selector)) (*statement, error) {
	s := new(statement)
	// The listening one is not asked for the viewer's ID, so that the statement is the same for all viewers of a role.
	ctx = viewer.WithArgument(unit.Capture(listening{ctx, &s.asked}, &s.Statement), theViewer)
	err := r.query(ctx, r.unit, e, shape)
	r.note(s)
	return s, err
}

// note keeps what the context was asked for a statement, if somebody wants to know.
func (r *run) note(s *statement) {
	if r.noted != nil {
		*r.noted = append(*r.noted, s.asked...)
	}
}

// statements are those that a level has run, by all that their texts depend on but one thing: what ent's interceptors and policies add
// may depend on the context. So a statement is kept together with what the context was asked while it was written, and used again
// where the context gives the same answers. What a rule adds must depend on nothing else.
type statements struct {
	mu   sync.RWMutex
	kept map[string]*statement
}

// statementsALevel bounds what is kept for one level, whose pages may be of any size.
const statementsALevel = 32

// find returns the statement for the key, or nil if it has to be written.
func (s *statements) find(ctx context.Context, key []byte) *statement {
	s.mu.RLock()
	known := s.kept[string(key)]
	s.mu.RUnlock()
	if known == nil || !stillAnswers(ctx, known.asked) {
		return nil
	}
	return known
}

func (s *statements) keep(key []byte, written *statement) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept == nil {
		s.kept = map[string]*statement{}
	}
	if s.kept[string(key)] != nil || len(s.kept) < statementsALevel {
		s.kept[string(key)] = written
	}
}

// answered is what a context said about a key.
type answered struct{ key, value any }

// listening is a context that takes note of what it is asked.
type listening struct {
	context.Context
	asked *[]answered
}

// Value answers as the context does.
func (c listening) Value(key any) any {
	value := c.Context.Value(key)
	*c.asked = append(*c.asked, answered{key, value})
	return value
}

// stillAnswers reports whether the context answers as another one did. What cannot be compared counts as different.
func stillAnswers(ctx context.Context, asked []answered) bool {
	for _, a := range asked {
		value := ctx.Value(a.key)
		if value == nil && a.value == nil {
			continue
		}
		if !reflect.ValueOf(a.value).Comparable() || !reflect.ValueOf(value).Comparable() || value != a.value {
			return false
		}
	}
	return true
}
