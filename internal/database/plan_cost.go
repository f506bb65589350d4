package database

import (
	"context"
	"crypto/sha256"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"entgo.io/ent/dialect"

	"forge/internal/apperr"
	"forge/internal/telemetry"
)

const (
	// cheapPart is the part of MaxPlanCost below which a statement counts as cheap. PostgreSQL is
	// not asked again for the cost of a cheap statement with the same values for cheapTime.
	cheapPart = 10
	cheapTime = time.Minute
	// maxCheap is how many cheap statements are known at most.
	maxCheap = 1000
)

// asked stands for a statement with its values. With other values the same text may read a whole
// table.
type asked [sha256.Size]byte

// askedFor returns what stands for a statement with its values.
func askedFor(query string, args []any) asked {
	h := sha256.New()
	fmt.Fprintf(h, "%q", query)
	for _, arg := range args {
		value, err := driver.DefaultParameterConverter.ConvertValue(arg)
		if err != nil { // a list of UUIDs, which CheckNamedValue converts
			fmt.Fprintf(h, ",%T(%v)", arg, arg)
			continue
		}
		fmt.Fprintf(h, ",%T(%#v)", value, value)
	}
	return asked(h.Sum(nil))
}

// cheapStatements knows which statements PostgreSQL has lately taken for cheap.
type cheapStatements struct {
	mu    sync.Mutex
	until map[asked]time.Time
}

// has reports whether a statement is known to be cheap.
func (c *cheapStatements) has(of asked) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Before(c.until[of])
}

// add notes that a statement is cheap. If there is no room left, all others are forgotten.
func (c *cheapStatements) add(of asked) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.until == nil || len(c.until) >= maxCheap {
		c.until = map[asked]time.Time{}
	}
	c.until[of] = time.Now().Add(cheapTime)
}

// CheckPlan asks PostgreSQL what it expects a query to cost with these values, unless it took the
// query with the same values for cheap within the last minute. It returns an *apperr.Error with the
// code QUERY_TOO_COMPLEX if that is more than Options.MaxPlanCost. The error does not say what the
// query costs, because the statistics that PostgreSQL estimates from are of all rows, including
// those that the viewer may not see. For SQLite, which estimates no costs, CheckPlan returns nil.
func (db *DB) CheckPlan(ctx context.Context, c Conn, query string, args []any) error {
	limit := db.Options.MaxPlanCost
	if limit == 0 || db.Dialect != dialect.Postgres {
		return nil
	}
	of := askedFor(query, args)
	if db.cheap.has(of) {
		return nil
	}
	var text []byte
	if err := c.QueryRowContext(ctx, "EXPLAIN (FORMAT JSON) "+query, args...).Scan(&text); err != nil {
		return err
	}
	var plans []struct {
		Plan struct {
			Cost float64 `json:"Total Cost"`
		}
	}
	if err := json.Unmarshal(text, &plans); err != nil || len(plans) == 0 {
		return fmt.Errorf("the plan of a statement: %w", err)
	}
	switch cost := plans[0].Plan.Cost; {
	case cost > float64(limit):
		telemetry.FromContext(ctx).Refuse(telemetry.PlanCost)
		err := apperr.New(apperr.CodeTooComplex, "", "the database expects this to take more work than is allowed; "+
			"ask for fewer rows, by narrower conditions or in another order")
		err.More = map[string]any{"limit": limit}
		return err
	case cost*cheapPart <= float64(limit):
		db.cheap.add(of)
	}
	return nil
}
