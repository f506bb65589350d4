package doctor

import (
	"context"
	"errors"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"forge/internal/application"
	"forge/internal/database"
	"forge/internal/migrator"
	"forge/internal/read/binding"
)

// contract reports where schema.graphqls, ent/schema and the resolvers do not fit together.
func (d *Doctor) contract(context.Context, *database.DB) (found []Finding) {
	if _, err := parser.ParseSchema(&ast.Source{Name: "schema.graphqls", Input: d.app.SDL}); err != nil {
		return []Finding{fail("contract", err.Error(), "Code cannot be generated from it like this.")}
	}
	err := d.app.API(application.Services{}).Check()
	if err == nil {
		return []Finding{ok("contract", "types, entities and resolvers fit together")}
	}
	mismatch, is := errors.AsType[*binding.MismatchError](err)
	if !is {
		return []Finding{fail("contract", err.Error(), "")}
	}
	for _, finding := range mismatch.Findings {
		found = append(found, fail("contract", finding, "`forge serve` does not start like this; docs/extending.md says what can be served."))
	}
	return found
}

// indexes reports the conditions and orders that no index serves. They work, but take longer the
// more rows there are.
func (d *Doctor) indexes(context.Context, *database.DB) []Finding {
	missing, sorts := d.missing()
	switch {
	case missing != nil:
		return missing
	case sorts == nil:
		return []Finding{ok("indexes", "what is offered is served, or is a scan by nature")}
	}
	return []Finding{ok("indexes", "what is offered is served, or is a scan by nature; %d ways to sort a nested list read all rows of the parent: `forge check` names them", len(sorts))}
}

// missing returns a warning for each index that is missing, and a finding for each order in which
// all rows of a parent are sorted. Both are nil if the contract is broken, which is reported.
func (d *Doctor) missing() (missing, sorts []Finding) {
	all, _ := d.app.API(application.Services{}).MissingIndexes()
	for _, m := range all {
		if m.Sorts {
			sorts = append(sorts, Finding{"indexes", OK, m.String(), "If a parent may have many: " + m.Advice})
		} else {
			missing = append(missing, warn("indexes", m.String(), m.Advice))
		}
	}
	return missing, sorts
}

// schema compares the schema of the database with the migrations of this program, and these with
// ent/schema.
func (d *Doctor) schema(ctx context.Context, db *database.DB) []Finding {
	report, err := d.app.Migrator(db.Dialect).Status(ctx, db.DB)
	if err != nil {
		return []Finding{fail("schema", err.Error(), "Give the role USAGE on the schema and SELECT on its tables.")}
	}
	err = report.Err()
	if pending, is := errors.AsType[*migrator.PendingError](err); is {
		return []Finding{fail("schema", pending.Error(), "The server starts and is not ready until then.")}
	}
	if refusal, is := errors.AsType[*migrator.Refusal](err); is {
		var found []Finding
		for _, reason := range refusal.Unwrap() {
			advice := "docs/migrations.md says what leads there and back."
			if _, drift := reason.(*migrator.DriftError); drift {
				advice = "Undo by hand what was done by hand; `forge migrate status` lists it."
			}
			found = append(found, fail("schema", reason.Error(), advice))
		}
		return found
	}
	if missing, err := d.app.Unmigrated(ctx, db); err != nil || missing != nil {
		return []Finding{unmigrated(missing, err)}
	}
	if why := report.Drift.NotCompared; why != "" {
		return []Finding{warn("schema", "all migrations are applied; whether the schema was changed since is not known: "+why, "")}
	}
	if report.Suits() {
		return []Finding{ok("schema", "a newer build has migrated the database; this one may go on, and is best replaced soon")}
	}
	return []Finding{ok("schema", "as the last of %d migrations left it", len(report.Versions))}
}

// unmigrated returns a finding about tables and columns that no migration has made.
func unmigrated(missing []string, err error) Finding {
	if err != nil {
		return fail("schema", err.Error(), "Give the role USAGE on the schemas of all tables.")
	}
	return fail("schema", "all migrations are applied, and none makes what ent/schema has: "+strings.Join(missing, ", "),
		"Requests for this fail: run `forge migrate diff NAME` in the source tree, and apply what it writes.")
}
