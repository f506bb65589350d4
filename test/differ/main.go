package differ

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"forge/internal/application"
	"forge/internal/database"
	"forge/internal/migrator/dev"
	"forge/internal/read/binding"
	"forge/internal/viewer"
)

// Main compares an application's answers on empty databases. args are a seed and the addresses of
// the databases. Main creates the tables in each, fills them with the same random rows, and tries
// the same operations: as an administrator, as nobody, and as somebody who owns rows. Answers have
// to be the same by the engine and field by field, and the same on all databases. Main prints what
// is wrong, and returns the exit status of the program: 1 if anything is wrong, else 0.
func Main(app App, args []string) int {
	if err := compareAll(app, args); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// operations is how many operations are tried on each database.
const operations = 1500

func compareAll(app App, args []string) error {
	if err := app.API.Check(); err != nil {
		if mismatch, ok := errors.AsType[*binding.MismatchError](err); ok {
			return mismatch
		}
		return err
	}
	seed, err := strconv.ParseUint(args[0], 10, 64)
	if err != nil {
		return err
	}
	var differs []*Differ
	for _, address := range args[1:] {
		d, err := filledDiffer(app, address, seed)
		if err != nil {
			return fmt.Errorf("%s: %w", address, err)
		}
		differs = append(differs, d)
	}
	return tryAll(differs, seed)
}

func filledDiffer(app App, address string, seed uint64) (*Differ, error) {
	db, err := database.Open(address, database.Options{})
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	if err := dev.Create(ctx, db.DB, db.Dialect, dev.Schema{Tables: app.API.Tables, Objects: application.Objects(app.API.Entities)}); err != nil {
		return nil, err
	}
	if err := Fill(ctx, app, db, seed); err != nil {
		return nil, err
	}
	return New(ctx, app, db), nil
}

// tryAll tries the same operations on all databases.
func tryAll(differs []*Differ, seed uint64) error {
	var failed []error
	for _, v := range []viewer.Viewer{viewer.System, {}, {Role: viewer.User, ID: differs[0].anOwner()}} {
		var as []*Differ
		for _, d := range differs {
			as = append(as, d.As(context.Background(), v))
		}
		seen := as[0].NewCoverage()
		for n := range uint64(operations / 3) {
			at := seed*operations + n
			var first reply
			for i, d := range as {
				op, got, difference := d.try(seeded(at))
				switch {
				case difference != "":
					failed = append(failed, fmt.Errorf("operation %d on %s by %s: the least that differs:\n%s", at, d.db.Dialect, v.Role, d.shrink(seeded(at))))
				case i == 0:
					first = got
					seen.add(op, got)
				case got.String() != first.String():
					failed = append(failed, fmt.Errorf("operation %d by %s differs between the databases: %s\nwith %s\n%s: %s\n%s: %s", at, v.Role, op.query, jsonOf(op.vars),
						as[0].db.Dialect, first, d.db.Dialect, got))
				}
			}
			if len(failed) > 2 {
				return errors.Join(failed...)
			}
		}
		fmt.Fprintln(os.Stdout, v.Role, seen)
	}
	return errors.Join(failed...)
}

// anOwner returns the key of the row that owns most rows.
func (d *Differ) anOwner() (most uuid.UUID) {
	owned := map[uuid.UUID]int{}
	for _, rows := range d.contents.rows {
		for _, r := range rows {
			if key, ok := r.values[r.entity.Owner].(uuid.UUID); ok {
				owned[key]++
			}
		}
	}
	for key, n := range owned {
		if n > owned[most] || n == owned[most] && slices.Compare(key[:], most[:]) < 0 {
			most = key
		}
	}
	return most
}
