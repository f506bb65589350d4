package doctor

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"entgo.io/ent/dialect"

	"forge/internal/database"
)

const role = `SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user`

// privileges asks what the role may do with a table. It has no result for a table that does not
// exist: the check of the schema reports that.
const privileges = `SELECT pg_has_role(c.relowner, 'USAGE'), has_table_privilege(c.oid, 'SELECT'), has_table_privilege(c.oid, 'INSERT'),
	has_table_privilege(c.oid, 'UPDATE'), has_table_privilege(c.oid, 'DELETE')
FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = $1`

// permissions reports what the role of Forge may do with the tables. It reports nothing for SQLite,
// which has no roles.
func (d *Doctor) permissions(ctx context.Context, db *database.DB) (found []Finding) {
	if db.Dialect != dialect.Postgres {
		return nil
	}
	var name string
	var super bool
	if err := db.QueryRowContext(ctx, role).Scan(&name, &super); err != nil {
		return []Finding{fail("permissions", err.Error(), "")}
	}
	owned, tables := 0, 0
	for _, table := range d.app.Tables {
		var owner bool
		may := make([]bool, 4)
		switch err := db.QueryRowContext(ctx, privileges, table.Name).Scan(&owner, &may[0], &may[1], &may[2], &may[3]); err {
		case nil:
		case sql.ErrNoRows:
			continue
		default:
			return []Finding{fail("permissions", err.Error(), "Give "+name+" USAGE on the schema.")}
		}
		tables++
		if owner {
			owned++
		}
		if lacks := lacking(may); lacks != "" {
			found = append(found, fail("permissions", fmt.Sprintf("the role %s may not %s %s", name, lacks, table.Name),
				fmt.Sprintf("As the owner: GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %s.", table.Name, name)))
		}
	}
	const advice = "Have `forge migrate up` run as the owner and the server as a role that reads and writes rows: deploy/postgres/roles.sh makes both."
	switch {
	case super:
		found = append(found, warn("permissions", "the role "+name+" is a superuser: a mistake can do anything to the server", advice))
	case owned > 0:
		found = append(found, warn("permissions", "the role "+name+" owns the tables: a mistake can change or drop them", advice))
	}
	if found == nil {
		found = append(found, ok("permissions", "the role %s may read and write the rows of %d tables, and no more", name, tables))
	}
	return found
}

func lacking(may []bool) string {
	var lacks []string
	for i, what := range []string{"SELECT from", "INSERT into", "UPDATE", "DELETE from"} {
		if !may[i] {
			lacks = append(lacks, what)
		}
	}
	return strings.Join(lacks, ", ")
}
