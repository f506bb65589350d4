// Package loader makes dataloaders for resolvers that are called for each row. A loader collects
// the keys of all rows that are resolved at once, and reads them together.
package loader

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/vikstrous/dataloadgen"

	"forge/internal/telemetry"
)

// wait is how long a loader collects keys after the first one. The read engine calls the resolvers
// of all rows at once, so that they come within a moment.
const wait = 5 * time.Millisecond

// New returns a loader. The function read returns the values of many keys at once, in a goroutine
// of its own and with the context of one of the callers. A key that is not in its map gets the zero
// value. If read panics, its callers get an error.
func New[K comparable, V any](read func(context.Context, []K) (map[K]V, error)) *dataloadgen.Loader[K, V] {
	return dataloadgen.NewLoader(func(ctx context.Context, keys []K) (values []V, errs []error) {
		found, err := recovered(ctx, keys, read)
		if err != nil {
			return nil, []error{err} // it is the error of every key
		}
		values = make([]V, len(keys))
		for i, key := range keys {
			values[i] = found[key]
		}
		return values, nil
	}, dataloadgen.WithWait(wait))
}

func recovered[K comparable, V any](ctx context.Context, keys []K, read func(context.Context, []K) (map[K]V, error)) (found map[K]V, err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("panic: %s\n%s", telemetry.Panic(panicked), debug.Stack())
		}
	}()
	return read(ctx, keys)
}

// set holds the application's loaders for one operation.
type set struct {
	once  sync.Once
	value any
}

type setKey struct{}

// NewContext returns a context for which Of makes new loaders. A loader keeps what it has read, so
// each operation has its own, and so has each root field of a mutation once it has changed rows.
func NewContext(ctx context.Context) context.Context {
	return context.WithValue(ctx, setKey{}, new(set))
}

// Of returns the application's loaders. The first call for a context of NewContext makes them. All
// calls have to pass the same function.
func Of[T any](ctx context.Context, loaders func() T) T {
	s := ctx.Value(setKey{}).(*set)
	s.once.Do(func() { s.value = loaders() })
	return s.value.(T)
}
