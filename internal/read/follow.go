package read

import (
	"context"
	"errors"

	"github.com/99designs/gqlgen/graphql"

	"forge/internal/changes"
	"forge/internal/read/plan"
	"forge/internal/unit"
)

// Following is a subscription that tells of changes, while an answer is made for it.
type Following struct {
	// After is where the answer goes on in the log, in place of the argument after.
	After changes.Position
	// Given says that List and Next are what follows in the log. Otherwise Changes reads the log, in
	// the unit of work, and sets Next.
	Given bool
	List  []changes.Change
	Next  changes.Position
	// Heard is how many changes the answer has. Changes sets it.
	Heard int
}

type followingKey struct{}

// Follow returns a context in which Changes answers a root field of Subscription.
func Follow(ctx context.Context, f *Following) context.Context {
	return context.WithValue(ctx, followingKey{}, f)
}

// Cursor returns a position in the log of changes as a cursor.
func (e *Engine) Cursor(p changes.Position) string { return e.log.cursor(p) }

// Position returns the position in a cursor. It returns a BAD_USER_INPUT error, about the argument
// after, if the text is none.
func (e *Engine) Position(cursor string) (changes.Position, error) { return e.log.position(cursor) }

// maxReads is how often follow reads the log for one message, while it finds too little that is of
// interest.
const maxReads = 10

// follow returns what a subscription tells next.
func (e *Engine) follow(ctx context.Context, u *unit.Unit, field graphql.CollectedField, args map[string]any) (*changesPage, error) {
	f, ok := ctx.Value(followingKey{}).(*Following)
	if !ok {
		return nil, errors.New("read: a subscription has no answer without Follow")
	}
	of, err := e.interest(ctx, field.Name, args)
	if err != nil {
		return nil, err
	}
	list := f.List
	if !f.Given {
		if list, f.Next, err = e.readOn(ctx, u, f.After, of); err != nil {
			return nil, err
		}
	}
	p, err := e.pageOf(ctx, list, f.Next, of)
	if err == nil {
		f.Heard = len(p.list)
	}
	return p, err
}

// readOn reads what is of interest after a position, and returns the position after it.
func (e *Engine) readOn(ctx context.Context, u *unit.Unit, after changes.Position, of *interest) (list []changes.Change, next changes.Position, err error) {
	log, types := e.log.in(u), []string{}
	for prefix := range of.hearings {
		types = append(types, prefix)
	}
	next = after
	for reads := 0; len(list) < plan.ChangesAMessage && reads < maxReads; reads++ {
		most := plan.ChangesAMessage - len(list)
		some, end, err := log.Read(ctx, next, most, types...)
		if err != nil && reads == 0 {
			return nil, after, e.log.failed(ctx, log, err)
		}
		if err != nil {
			break // which the next message tells
		}
		for i := range some {
			if of.selects(&some[i]) {
				list = append(list, some[i])
			}
		}
		if next = end; len(some) < most {
			break
		}
	}
	return list, next, nil
}
