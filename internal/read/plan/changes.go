package plan

import (
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/apperr"
	"forge/internal/read/binding"
	"forge/internal/scalar"
)

// ChangesAMessage is how many changes a message of a subscription has at most.
const ChangesAMessage = 100

const (
	defaultChanges = 100
	maxChanges     = 1000
	// minEvery and maxEvery bound the argument every of Subscription.live, in milliseconds.
	defaultEvery = 1000
	minEvery     = 100
	maxEvery     = 3_600_000
	// changesOnce is what reading the log of changes costs, in points.
	changesOnce = 40
)

// FirstChanges returns how many changes are asked for, by the argument first. It returns a
// BAD_USER_INPUT error if that is less than 1 or more than 1,000.
func FirstChanges(value any) (int, error) {
	if value == nil {
		return defaultChanges, nil
	}
	n, ok := scalar.Int(value)
	if !ok || n < 1 || n > maxChanges {
		return 0, apperr.BadInput("first", "first is %v; from 1 to %d is allowed", value, maxChanges)
	}
	return int(n), nil
}

// LiveEvery returns the least time between two answers of Subscription.live, by the argument every.
// It returns a BAD_USER_INPUT error if that is less than 100 milliseconds or more than an hour.
func LiveEvery(value any) (time.Duration, error) {
	if value == nil {
		return defaultEvery * time.Millisecond, nil
	}
	n, ok := scalar.Int(value)
	if !ok || n < minEvery || n > maxEvery {
		return 0, apperr.BadInput("every", "every is %v; from %d to %d milliseconds are allowed", value, minEvery, maxEvery)
	}
	return time.Duration(n) * time.Millisecond, nil
}

// ofChanges adds the price of a field that shows the log of changes. It returns false if the field
// does not.
func (p *Price) ofChanges(b *binding.Binding, f *ast.Field, variables map[string]any) bool {
	switch {
	case b.Changes == nil:
		return false
	case b.Changes.Pages[f.ObjectDefinition.Name]: // whose entries are counted with the field around
		p.Entries = 1
	case f.ObjectDefinition == b.Schema.Query && f.Name == "changes":
		n, _ := FirstChanges(f.ArgumentMap(variables)["first"]) // what is refused costs nothing
		p.Entry, p.Entries, p.Once = rowCost, n, Unit*changesOnce
	case f.ObjectDefinition == b.Schema.Subscription && f.Name != binding.Live:
		p.Entry, p.Entries, p.Once = rowCost, ChangesAMessage, Unit*changesOnce
	case f.ObjectDefinition == b.Schema.Query && f.Name == "changeCursor":
		p.Entries, p.Once = 1, Unit*changesOnce
	default:
		return false
	}
	return true
}
