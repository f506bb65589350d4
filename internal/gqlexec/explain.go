package gqlexec

import (
	"bytes"
	"context"
	"database/sql"
	"regexp"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect"
	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// ExplainHeader is the request header by which an administrator asks, in development, for the
// statements of a query: with the value sql, or with plan for their plans as well. A page of
// another origin cannot send it without a preflight. In production it has no effect.
const ExplainHeader = "Forge-Explain"

const (
	explainKey     = "explain"
	maxExplained   = 20              // statements of an answer
	maxPlanBytes   = 64 << 10        // of the text of one statement, and of its plan
	planTime       = 3 * time.Second // in which one plan must be there
	explainSQL     = "sql"
	explainPlan    = "plan"
	explainAllowed = ExplainHeader + " must be " + explainSQL + " or " + explainPlan
)

// explanation holds the statements that an attempt at a query ran.
type explanation struct {
	plans      bool
	statements []database.Statement
}

// mayExplain returns a check of ExplainHeader. It returns nil in production.
func mayExplain(development bool) check {
	if !development {
		return nil
	}
	return func(ctx context.Context, c *checked) gqlerror.List {
		wish := c.Headers.Get(ExplainHeader)
		var err error
		switch {
		case wish == "":
			return nil
		case wish != explainSQL && wish != explainPlan:
			err = apperr.BadInput(ExplainHeader, explainAllowed)
		case viewer.RoleOf(ctx) != viewer.Admin:
			err = apperr.Forbidden("", "only an administrator may see statements and plans")
		case c.Operation.Operation != ast.Query:
			err = apperr.BadInput(ExplainHeader, "only the statements of a query are explained")
		}
		if err != nil {
			return gqlerror.List{gqlerror.WrapIfUnwrapped(err)}
		}
		c.Stats.SetExtension(explainKey, wish)
		return nil
	}
}

// explains reports whether the answer to an operation has statements in it.
func explains(op *graphql.OperationContext) bool { return op.Stats.GetExtension(explainKey) != nil }

// watch has the unit's statements be collected, if they are asked for.
func (a *attempt) watch(ctx context.Context) {
	if watch, ok := ctx.Value(watchKey{}).(func(string)); ok {
		a.unit.OnStatement(func(text string, _ []any) { watch(text) })
	}
	if !explains(a.op) {
		return
	}
	x := &explanation{plans: a.op.Stats.GetExtension(explainKey) == explainPlan}
	a.explanation = x
	a.unit.OnStatement(func(text string, args []any) {
		if len(x.statements) < maxExplained {
			x.statements = append(x.statements, database.Statement{Text: text, Args: cloned(args)})
		}
	})
}

// cloned returns arguments that stay as they are when the memory of the request is used again.
func cloned(args []any) []any {
	args = slices.Clone(args)
	for i, arg := range args {
		if b, ok := arg.([]byte); ok {
			args[i] = bytes.Clone(b)
		}
	}
	return args
}

// explained is a statement as an answer shows it. No value is in it.
type explained struct {
	SQL   string `json:"sql"`
	Plan  string `json:"plan,omitempty"`
	Error string `json:"error,omitempty"` // why there is no plan
}

// addExplanation adds the statements to the answer, if they are asked for. The attempt's own unit
// must have ended.
func (a *attempt) addExplanation(ctx context.Context, response *graphql.Response) {
	if a.explanation == nil {
		return
	}
	all := []explained{}
	for _, s := range a.explanation.statements {
		e := explained{SQL: shortened(s.Text)}
		if a.explanation.plans {
			plan, err := planOf(ctx, a.host, s)
			if e.Plan = shortened(plan); err != nil {
				e.Error = database.RedactError(err)
			}
		}
		all = append(all, e)
	}
	response.Extensions[explainKey] = all
}

func shortened(text string) string {
	if len(text) > maxPlanBytes {
		return strings.ToValidUTF8(text[:maxPlanBytes], "") + "…"
	}
	return text
}

// planOf returns the plan of a statement that reads. PostgreSQL runs the statement for that, in a
// read-only transaction that is rolled back; SQLite does not. The values of the statement are left
// out. planOf returns an error if the statement does not read, or takes too long.
func planOf(ctx context.Context, db *database.DB, s database.Statement) (string, error) {
	if !strings.HasPrefix(s.Text, "SELECT") && !strings.HasPrefix(s.Text, "WITH") {
		return "", apperr.BadInput("", "only statements that read are explained")
	}
	ctx, cancel := context.WithTimeout(ctx, planTime)
	defer cancel()
	u := unit.New(db, unit.Snapshot) // read-only
	defer u.Rollback()
	if db.Dialect == dialect.SQLite {
		return sqlitePlan(ctx, u, s)
	}
	var plan strings.Builder
	err := u.Rows(ctx, func(rows *sql.Rows) error {
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				return err
			}
			plan.WriteString(constants.ReplaceAllString(line, "'…'") + "\n")
		}
		return nil
	}, "EXPLAIN (ANALYZE, BUFFERS) "+s.Text, s.Args...)
	return plan.String(), err
}

// constants are the values in a plan of PostgreSQL: all but plain numbers are quoted.
var constants = regexp.MustCompile(`'(?:[^']|'')*'`)

// sqlitePlan returns the plan of SQLite, whose steps are indented below the step that they are of.
func sqlitePlan(ctx context.Context, u *unit.Unit, s database.Statement) (string, error) {
	var plan strings.Builder
	depths := map[int]int{}
	err := u.Rows(ctx, func(rows *sql.Rows) error {
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				return err
			}
			depths[id] = depths[parent] + 1
			plan.WriteString(strings.Repeat("  ", depths[id]-1) + detail + "\n")
		}
		return nil
	}, "EXPLAIN QUERY PLAN "+s.Text, s.Args...)
	return plan.String(), err
}
