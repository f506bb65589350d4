package migrate

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"text/tabwriter"
	"time"
)

// A State is what a database says about one version.
type State struct {
	Version   Version
	AppliedAt time.Time // by the database's clock; zero when the version is pending
}

// Status lists all versions that this binary or the database knows, oldest
// first. It writes nothing.
func Status(ctx context.Context, db *sql.DB, dialect string) ([]State, error) {
	files, err := filesOf(dialect)
	if err != nil {
		return nil, err
	}
	return status(ctx, db, dialect, files)
}

func status(ctx context.Context, db querier, dialect string, files fs.FS) ([]State, error) {
	versions, err := versionsIn(files)
	if err != nil {
		return nil, err
	}
	applied, err := applied(ctx, db, dialect)
	if err != nil {
		return nil, err
	}
	times := make(map[int64]time.Time, len(applied))
	for _, a := range applied {
		times[a.number] = a.at
	}
	var states []State
	for _, v := range versions {
		states = append(states, State{v, times[v.Number]})
		delete(times, v.Number)
	}
	for number, at := range times {
		states = append(states, State{Version{Number: number}, at})
	}
	slices.SortFunc(states, func(a, b State) int { return cmp.Compare(a.Version.Number, b.Version.Number) })
	return states, nil
}

// WriteStatus prints states as a table for people.
func WriteStatus(w io.Writer, states []State) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range states {
		state := "applied " + s.AppliedAt.UTC().Format(time.DateTime)
		switch {
		case s.AppliedAt.IsZero():
			state = "pending"
		case s.Version.Name == "":
			state += ", unknown to this build"
		}
		if _, err := fmt.Fprintf(table, "%s\t%s\n", s.Version, state); err != nil {
			return err
		}
	}
	return table.Flush()
}
