package database

import (
	"database/sql/driver"
	"fmt"
	"time"

	"modernc.org/sqlite"

	"forge/internal/scalar"
)

// registerSummaries gives SQLite the functions with which groups of rows are summed up as
// PostgreSQL does.
func registerSummaries(d *sqlite.Driver) {
	for name, result := range map[string]func(*scalar.Adder) (driver.Value, bool){
		scalar.SumFunction:            func(a *scalar.Adder) (driver.Value, bool) { return valueOf(a.Sum()) },
		scalar.AverageFunction:        func(a *scalar.Adder) (driver.Value, bool) { return valueOf(a.Average()) },
		scalar.DecimalAverageFunction: func(a *scalar.Adder) (driver.Value, bool) { return valueOf(a.DecimalAverage()) },
	} {
		d.MustRegisterFunction(name, &sqlite.FunctionImpl{NArgs: 1, Deterministic: true, VolatileArgs: true,
			MakeAggregate: func(sqlite.FunctionContext) (sqlite.AggregateFunction, error) { return &adding{result: result}, nil }})
	}
	d.MustRegisterDeterministicScalarFunction(scalar.BucketFunction, 3, bucket)
}

func valueOf[T any](value T, ok bool) (driver.Value, bool) { return value, ok }

// adding is one evaluation of an aggregate function.
type adding struct {
	scalar.Adder
	result func(*scalar.Adder) (driver.Value, bool)
}

// Step adds the value of a row, unless it is NULL.
func (a *adding) Step(_ *sqlite.FunctionContext, values []driver.Value) error {
	switch v := values[0].(type) {
	case nil:
	case int64:
		a.AddInt(v)
	case string:
		a.AddText(v)
	default:
		a.AddText(fmt.Sprint(v))
	}
	return nil
}

// WindowInverse is never called, as no window is summed up.
func (a *adding) WindowInverse(*sqlite.FunctionContext, []driver.Value) error {
	return fmt.Errorf("database: the sum of a window")
}

// WindowValue returns the result.
func (a *adding) WindowValue(*sqlite.FunctionContext) (driver.Value, error) {
	if value, ok := a.result(&a.Adder); ok {
		return value, nil
	}
	return nil, nil
}

// Final does nothing, as there is nothing to release.
func (a *adding) Final(*sqlite.FunctionContext) {}

// bucket is scalar.Bucket for a time that is stored as microseconds.
func bucket(_ *sqlite.FunctionContext, values []driver.Value) (driver.Value, error) {
	if values[1] == nil {
		return nil, nil
	}
	unit, _ := values[0].(string)
	micros, ok := values[1].(int64)
	name, _ := values[2].(string)
	if !ok {
		return nil, fmt.Errorf("database: a time of type %T", values[1])
	}
	zone, err := scalar.Zone(name)
	if err != nil {
		return nil, err
	}
	start, err := scalar.Bucket(unit, time.UnixMicro(micros), zone)
	return start.UnixMicro(), err
}
