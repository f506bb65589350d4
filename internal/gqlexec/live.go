package gqlexec

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/apperr"
	"forge/internal/changes"
	"forge/internal/entity"
	"forge/internal/read"
	"forge/internal/stream"
)

// live is the state of a group whose members get the answer to a query whenever it is another one.
// The group's mutex guards it.
type live struct {
	every time.Duration // the shortest time between two answers
	// types are the types whose changes can make another answer. Until the first answer is there,
	// it is nil: then all can.
	types atomic.Pointer[touching]
	// passed has the types of the changes since the last answer was begun; see learn.
	passed sync.Map

	stale  bool // there may be another answer
	timed  bool // the members will be woken
	began  time.Time
	number uint64            // of the last answer
	last   [sha256.Size]byte // of its body
	now    *evaluation
}

// touching are types whose changes can make another answer, by the prefixes of their IDs. Each has
// the look-up by ID that alone reads rows of the type, or nil if any row matters.
type touching map[string]*read.LookUp

// touched reports whether a change can make another answer.
func (l *live) touched(c *changes.Change) bool {
	l.passed.LoadOrStore(c.Type, nil) // before the types are looked at
	types := l.types.Load()
	if types == nil {
		return true
	}
	only, can := (*types)[c.Type]
	return can && (only == nil || only.Reads(c))
}

// learn sets the types. It reports whether an answer may have missed a change that did not matter
// before it: the answer is the first to read that type, or to read other rows of it, and the change
// came while it was made.
func (l *live) learn(types touching) (missed bool) {
	before := l.types.Swap(&types)
	for name, only := range types {
		_, came := l.passed.Load(name)
		if before != nil && came {
			one, known := (*before)[name]
			missed = missed || !known || one != nil && only == nil
		}
	}
	return missed
}

// change notes that there may be another answer. It returns after what pause the members are to be
// woken, and false if they will be already.
func (l *live) change() (time.Duration, bool) {
	l.stale = true
	if l.timed {
		return 0, false
	}
	l.timed = true
	return max(0, time.Until(l.began.Add(l.every))), true
}

// newest returns the newest answer and its number. Of the members that ask, one makes it.
func (g *group) newest(ctx context.Context) (*evaluation, uint64, error) {
	l := g.live
	g.mu.Lock()
	e := l.now
	if e == nil || e.made() && l.stale {
		e = newEvaluation()
		l.now, l.stale, l.timed, l.began = e, false, false, time.Now()
		l.passed.Clear()
		g.mu.Unlock()
		g.evaluateLive(e)
	} else {
		g.mu.Unlock()
	}
	if _, err := e.wait(ctx); err != nil {
		return nil, 0, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return e, e.number, nil
}

// evaluateLive runs the query. An answer with the same bytes as the last, but for its position, has
// the same number.
func (g *group) evaluateLive(e *evaluation) {
	defer close(e.done)
	var texts []string
	response, err := g.runOnce(g.ctx, func(text string) { texts = append(texts, text) })
	at := g.told()
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.live
	if e.err = err; err != nil {
		l.stale = true
		return
	}
	types, unlogged := g.typesIn(texts, len(response.Errors) > 0)
	if unlogged != "" {
		e.last = true
		response = g.refusal(graphql.WithOperationContext(g.ctx, g.op), apperr.BadInput("", "live needs the log of changes, and the rows of %s are not in it: leave them out, or have the entity be Logged in ent/schema", unlogged))
		response.Data = []byte("null")
	} else {
		if l.learn(types) {
			g.due()
		}
		delete(response.Extensions, "sql")
		within(response, g.root.Alias)
	}
	sum := sha256.Sum256(encoded(response))
	addTold(response, at)
	e.answer = &stream.Answer{Body: encoded(response)}
	if sum != l.last {
		l.number, l.last = l.number+1, sum
		g.wakeAll() // members who were woken meanwhile have waited for an earlier answer
	}
	e.number = l.number
	time.AfterFunc(keptTime, func() { g.forgetLive(e) })
}

// forgetLive drops an answer. Whoever asks later makes another one.
func (g *group) forgetLive(e *evaluation) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.live.now == e {
		g.live.now = nil
	}
}

// within makes the response to a query one to the field live.
func within(r *graphql.Response, alias string) {
	if string(r.Data) != "null" {
		r.Data = fmt.Appendf(nil, `{"%s":%s}`, alias, r.Data)
	}
	for i, err := range r.Errors {
		inner := *err
		inner.Path = append(ast.Path{ast.PathName(alias)}, err.Path...)
		r.Errors[i] = &inner
	}
}

// typesIn returns the types whose changes can change what statements read. The second result names
// an entity or a table whose changes are not logged, or is "". failed says that fields have errors,
// so that some may not have read what they read another time.
func (g *group) typesIn(texts []string, failed bool) (types touching, unlogged string) {
	types = touching{}
	for _, e := range g.api.Entities {
		times := references(e.Table, texts)
		if times == 0 {
			continue
		}
		logged := e.Logged
		if _, known := types[e.Prefix]; logged && !known {
			types[e.Prefix] = nil
			if times == 1 && !failed {
				types[e.Prefix] = g.lookUp(e.Prefix)
			}
		}
		for _, edge := range e.LoggedFor {
			for _, of := range g.api.Entities {
				if of.Name == e.Edge(edge).To {
					logged, types[of.Prefix] = true, nil
				}
			}
		}
		if !logged {
			return nil, e.Name
		}
	}
	for _, t := range g.api.Tables {
		if !isEntity(g.api.Entities, t.Name) && references(t.Name, texts) > 0 {
			return nil, "the table " + t.Name
		}
	}
	return types, ""
}

// lookUp returns the field of live that looks an entity of a type up by its ID. It returns nil if
// there is none, or more than one.
func (g *group) lookUp(prefix string) (found *read.LookUp) {
	for _, f := range g.engine.Prepare(g.op).LiveFields() {
		l := g.engine.LookUp(f, g.op.Variables)
		switch {
		case l == nil || l.Prefix != prefix:
		case found != nil:
			return nil
		default:
			found = l
		}
	}
	return found
}

func isEntity(entities []*entity.Entity, table string) bool {
	for _, e := range entities {
		if e.Table == table {
			return true
		}
	}
	return false
}

// references returns how often a table may be read in statements. A name before a dot only
// qualifies a column.
func references(table string, texts []string) (n int) {
	for _, text := range texts {
		for _, quote := range []string{`"`, "`"} {
			name := quote + table + quote
			n += strings.Count(text, name) - strings.Count(text, name+".")
		}
	}
	return n
}
