package migrator

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"

	"forge/internal/migrator/catalog"
)

// A begun records a step outside of a transaction that has begun and not ended.
//
// Some statements cannot run in a transaction, so the statement and its record cannot be committed
// together. Examples are CREATE and DROP INDEX CONCURRENTLY: they use several transactions of their
// own, and leave an invalid index behind if they fail. So before the step, a row is written to the
// table of versions that says "not applied". If a later run finds this row, it knows which step an
// invalid index belongs to.
//
// SQLite has no such statements, and runs all steps in one transaction.
type begun struct {
	index    string // the name of the index that the step builds or drops
	checksum string // the checksum of the step's file
}

// An index is an index that a step builds or drops concurrently.
type index struct {
	name    string
	creates bool
}

// runnable returns an error if a failure of the step could leave something behind that a second try
// cannot remove. That is so if the file runs outside of a transaction and has several statements,
// or an index without a name.
func (s step) runnable() error {
	if !s.script.Outside {
		return nil
	}
	for _, section := range [][]Statement{s.script.Up, s.script.Down} {
		if len(section) > 1 {
			return fmt.Errorf("line %d: a second statement; a file that is marked NO TRANSACTION has one in each section, "+
				"since those before a failing one would stay: put it into a file of its own", section[1].Line)
		}
		for _, statement := range section {
			if indexConcurrently.MatchString(statement.Text) && indexOf(statement) == nil {
				return fmt.Errorf("line %d: the index needs a name of its own, so that what a failure leaves can be found", statement.Line)
			}
		}
	}
	return nil
}

// concurrent returns the index that the step builds or drops concurrently. It returns false if the
// step does not do so.
func (s step) concurrent() (index, bool) {
	section := s.script.section(s.down)
	if !s.script.Outside || len(section) != 1 {
		return index{}, false
	}
	i := indexOf(section[0])
	if i == nil {
		return index{}, false
	}
	return *i, true
}

var (
	indexConcurrently = regexp.MustCompile(`(?i)\bINDEX\s+CONCURRENTLY\b`)
	indexBuilt        = regexp.MustCompile(`(?i)\b(CREATE)\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+(?:IF\s+NOT\s+EXISTS\s+)?("(?:[^"]|"")+"|[\pL_][\pL\d_$]*)\s+ON\s`)
	indexDropped      = regexp.MustCompile(`(?i)\b(DROP)\s+INDEX\s+CONCURRENTLY\s+(?:IF\s+EXISTS\s+)?("(?:[^"]|"")+"|[\pL_][\pL\d_$]*)\s*(?:;|\s(?:CASCADE|RESTRICT)\b)`)
)

// indexOf returns the index that a statement builds or drops concurrently, or nil if it does
// neither.
func indexOf(s Statement) *index {
	found := indexBuilt.FindStringSubmatch(s.Text)
	if found == nil {
		found = indexDropped.FindStringSubmatch(s.Text)
	}
	if found == nil {
		return nil
	}
	return &index{name: unquoted(found[2]), creates: strings.EqualFold(found[1], "CREATE")}
}

// unquoted returns a name as the database stores it: without quotes, and in lower case if it was
// not quoted.
func unquoted(name string) string {
	if inner, ok := strings.CutPrefix(name, "`"); ok {
		return strings.TrimSuffix(inner, "`")
	}
	if inner, ok := strings.CutPrefix(name, `"`); ok {
		return strings.ReplaceAll(strings.TrimSuffix(inner, `"`), `""`, `"`)
	}
	return strings.ToLower(name)
}

// build runs a step that builds or drops an index outside of a transaction, by calling run. With
// skip, run only records the step, because the index already is as the step leaves it.
func (r runner) build(ctx context.Context, db *sql.DB, s step, i index, h history, run func(skip bool) error) error {
	// The statement runs without a lock timeout: it waits for each open transaction, and a timeout
	// would discard what it has built. While it waits, it only holds up other changes of the
	// schema.
	if err := setLockTimeout(ctx, db, 0); err != nil {
		return err
	}
	// This fails only if the session has ended, and then nothing remains to be set.
	defer setLockTimeout(context.WithoutCancel(ctx), db, r.lockTimeout)
	before, interrupted := h.begun[s.version.Number]
	ended := false
	if interrupted {
		now, err := i.state(ctx, db)
		if err == nil {
			// The server may have finished the statement after its client had ended.
			if ended = now == i.goal() && before.checksum == s.script.Checksum; !ended && i.creates {
				err = i.drop(ctx, db)
			}
		}
		if err != nil {
			return fmt.Errorf("migrate: clear away what %s left when it was cut off: %w", s.version.File(), err)
		}
	} else if err := markBegun(ctx, db, s, i); err != nil {
		return err
	}
	r.log.InfoContext(ctx, "outside of a transaction: this waits for all transactions that are open now", "file", s.version.File())
	err := run(ended)
	if failed, ok := errors.AsType[*StepError](err); ok {
		failed.kept = r.cleanUp(context.WithoutCancel(ctx), db, s, i, failed)
	}
	return err
}

// markBegun records that a step has begun.
func markBegun(ctx context.Context, db *sql.DB, s step, i index) error {
	_, err := db.ExecContext(ctx, fmt.Sprintf("INSERT INTO %s (version_id, is_applied, checksum, schema) VALUES (%d, false, $1, $2)",
		catalog.VersionTable, s.version.Number), s.script.Checksum, i.name)
	if err != nil {
		return fmt.Errorf("migrate: record that %s begins: %w", s.version, err)
	}
	return nil
}

// cleanUp removes what a failed step has left behind. It returns "" if nothing remains, and
// otherwise a clause about what may remain.
func (r runner) cleanUp(ctx context.Context, db *sql.DB, s step, i index, failed *StepError) string {
	// The caller waits for the error, so this must not wait long.
	err := setLockTimeout(ctx, db, r.lockTimeout)
	refused, ok := errors.AsType[*pq.Error](failed.Err)
	// In both cases, the step has left nothing: the name was already taken, or there was no index
	// to drop.
	foreign := ok && (refused.Code == pqerror.DuplicateTable || refused.Code == pqerror.UndefinedObject)
	var now indexState
	if err == nil && !foreign {
		if now, err = i.state(ctx, db); err == nil && i.creates && now == invalid {
			if err = i.drop(ctx, db); err == nil {
				now = absent
			}
		}
	}
	if err == nil && (foreign || now == i.origin()) {
		_, err = db.ExecContext(ctx, fmt.Sprintf("DELETE FROM %s WHERE version_id = %d AND NOT is_applied", catalog.VersionTable, s.version.Number))
		if err == nil {
			return ""
		}
	}
	return fmt.Sprintf("the index %s may be left, half done; the same command clears that away when it runs again", i.name)
}

// An indexState says whether an index exists and is usable.
type indexState string

const (
	absent  indexState = "absent"
	invalid indexState = "invalid"
	valid   indexState = "valid"
)

// goal returns the state that the index has after its step has succeeded.
func (i index) goal() indexState {
	if i.creates {
		return valid
	}
	return absent
}

// origin returns the state that the index has before its step is run: absent if the step creates
// the index, and valid if it drops the index.
func (i index) origin() indexState {
	if i.creates {
		return absent
	}
	return valid
}

// state returns the state that the index has in the database.
func (i index) state(ctx context.Context, db *sql.DB) (indexState, error) {
	var isValid bool
	err := db.QueryRowContext(ctx, "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)",
		pq.QuoteIdentifier(i.name)).Scan(&isValid)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return absent, nil
	case err != nil:
		return "", fmt.Errorf("look at the index %s: %w", i.name, err)
	case isValid:
		return valid, nil
	default:
		return invalid, nil
	}
}

// drop removes the index if it exists.
func (i index) drop(ctx context.Context, db *sql.DB) error {
	_, err := db.ExecContext(ctx, "DROP INDEX CONCURRENTLY IF EXISTS "+pq.QuoteIdentifier(i.name))
	return err
}
