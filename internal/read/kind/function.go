package kind

import (
	"slices"

	"forge/internal/entity"
)

// Function is a function of the values that a column has in several rows. Rows with NULL do not
// count, except for Count.
type Function string

// These are the functions, by the names of their fields in the API.
const (
	Count         Function = "count" // the number of rows, whatever their columns hold
	CountDistinct Function = "countDistinct"
	Sum           Function = "sum"
	Avg           Function = "avg"
	Min           Function = "min"
	Max           Function = "max"
)

// OfColumns are the functions of a column.
var OfColumns = []Function{CountDistinct, Sum, Avg, Min, Max}

// Result returns the kind of the function's result for a column of a kind. It returns false if the
// column has no such result.
func (f Function) Result(of entity.Kind) (entity.Kind, bool) {
	switch f {
	case Count:
		return entity.Int, true
	case CountDistinct:
		return entity.Int, Groups(of)
	case Sum:
		switch of {
		case entity.Int, entity.BigInt:
			return entity.BigInt, true
		case entity.Float, entity.Float32:
			return entity.Float, true
		}
		return of, of == entity.Decimal || of == entity.Duration
	case Avg:
		if of == entity.Decimal {
			return of, true
		}
		return entity.Float, slices.Contains([]entity.Kind{entity.Int, entity.BigInt, entity.Float, entity.Float32}, of)
	}
	k, ok := Of(of)
	return of, ok && k.Orders
}

// Groups reports whether rows can be grouped by columns of a kind: whether both databases agree on
// which values are equal.
func Groups(of entity.Kind) bool {
	_, ok := Of(of)
	return ok && of != entity.JSON && of != entity.List
}

// OfSum is the kind of sums that PostgreSQL adds as numeric, and SQLite as texts of any length.
// Only its type in the database is set.
var OfSum = &Kind{SQL: "text", Convert: asText}
