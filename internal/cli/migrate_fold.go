//go:build source

package cli

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"forge/internal/bootstrap"
	"forge/internal/database"
	"forge/internal/migrator"
	"forge/internal/migrator/dev"
	"forge/internal/usage"
)

func migrateFold(ctx context.Context, p program) error {
	name := p.cmd.StringArg("NAME")
	if name == "" || name == dev.Working {
		return usage.Errorf("migrate fold needs a name for what has changed, such as add_reviews")
	}
	if held := committed(ctx); len(held) > 0 {
		return usage.Errorf("git has these, and so may others: %s; migrate fold is for migrations that were not committed", strings.Join(held, " "))
	}
	want, err := p.wantedSchema()
	if err != nil {
		return err
	}
	folded, err := dev.Fold(ctx, "migrate", name, p.cmd.String("dev-url"), want, p.answers())
	if err != nil {
		return err
	}
	for _, path := range folded.Removed {
		fmt.Fprintln(p.out, "removed", path)
	}
	for _, path := range folded.Paths {
		fmt.Fprintln(p.out, path)
	}
	return p.tellFolded(ctx, folded)
}

// tellFolded tells the database of the settings which versions are no more.
func (p program) tellFolded(ctx context.Context, folded dev.Folded) error {
	err := p.withDatabase(ctx, bootstrap.OpenExisting, func(db *database.DB) error {
		had, err := migrator.New(os.DirFS("migrate"), db.Dialect).Fold(ctx, db.DB, folded.Gone, folded.Version)
		if err == nil && had {
			fmt.Fprintln(p.out, "the database of the settings has it already, and keeps its rows")
		}
		return err
	})
	if err != nil {
		fmt.Fprintf(p.out, "the database of the settings was not told: %s\nIf it has the migrations that are gone, make it anew.\n", err)
	}
	return nil
}

// committed returns the migrations called dev that git has.
func committed(ctx context.Context) []string {
	files := strings.Fields(gitSays(ctx, "ls-files", "--", "migrate"))
	return slices.DeleteFunc(files, func(name string) bool { return !strings.HasSuffix(name, "_"+dev.Working+".sql") })
}
