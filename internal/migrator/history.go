package migrator

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"entgo.io/ent/dialect"

	"forge/internal/migrator/catalog"
)

// A history holds the versions that a database has, as the database records them.
type history struct {
	applied []application   // oldest first
	begun   map[int64]begun // the unfinished steps outside of a transaction, by version
	exists  bool            // whether the table of versions exists
	columns bool            // whether the table has the columns checksum and schema
	serves  bool            // whether the table has the column serves
}

// An application is the record that a version was applied to a database.
type application struct {
	number   int64
	at       time.Time
	checksum string // the checksum of the file that was applied; "" if it is not known
	serves   *int64 // the oldest version whose build may go on; nil if it is not known
}

// newest returns the number of the newest applied version, or 0 if there is none.
func (h history) newest() int64 {
	if len(h.applied) == 0 {
		return 0
	}
	return h.applied[len(h.applied)-1].number
}

// historyOf reads the versions that a database has. It writes nothing. If the database was never
// migrated, the history is empty.
func historyOf(ctx context.Context, db catalog.Querier, name string) (h history, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("read the applied versions: %w", err)
		}
	}()
	columns := "SELECT count(*) FILTER (WHERE attname IN ('version_id', 'checksum', 'schema')), count(*) FILTER (WHERE attname = 'serves')" +
		" FROM pg_attribute WHERE NOT attisdropped AND attrelid = to_regclass(quote_ident(current_schema()) || '." + catalog.VersionTable + "')"
	if name == dialect.SQLite {
		columns = "SELECT count(*) FILTER (WHERE name IN ('version_id', 'checksum', 'schema')), count(*) FILTER (WHERE name = 'serves')" +
			" FROM pragma_table_info('" + catalog.VersionTable + "')"
	}
	var found, serves int
	if err := db.QueryRowContext(ctx, columns).Scan(&found, &serves); err != nil || found == 0 {
		return history{}, err
	}
	h.exists, h.columns, h.serves = true, found == 3, serves == 1
	ours := "NULL, NULL"
	if h.columns {
		// Descriptions are long and only one is needed, which descriptionOf reads.
		ours = "checksum, CASE WHEN NOT is_applied THEN schema END"
	}
	if h.serves {
		ours += ", serves"
	} else {
		ours += ", NULL"
	}
	// goose records the creation of the table as version 0, which is skipped.
	rows, err := db.QueryContext(ctx, "SELECT version_id, tstamp, is_applied, "+ours+
		" FROM "+catalog.VersionTable+" WHERE version_id > 0 ORDER BY version_id")
	if err != nil {
		return history{}, err
	}
	defer rows.Close()
	h.begun = make(map[int64]begun)
	for rows.Next() {
		var a application
		var isApplied bool
		var sum, index sql.NullString
		if err := rows.Scan(&a.number, &a.at, &isApplied, &sum, &index, &a.serves); err != nil {
			return history{}, err
		}
		a.checksum = sum.String
		if isApplied {
			h.applied = append(h.applied, a)
		} else if index.Valid {
			h.begun[a.number] = begun{index: index.String, checksum: sum.String}
		}
	}
	return h, rows.Err()
}
