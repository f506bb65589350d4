package cli

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/urfave/cli/v3"

	"forge/internal/bootstrap"
	"forge/internal/database"
	"forge/internal/progress"
	"forge/internal/usage"
)

func backupCommand(do runner) *cli.Command {
	return &cli.Command{
		Name: "backup", Action: do(backup),
		Usage:     "copy the file of SQLite to PATH, also while a server uses it",
		Arguments: []cli.Argument{&cli.StringArg{Name: "PATH", UsageText: "PATH"}},
	}
}

func backup(ctx context.Context, p program) error {
	path := p.cmd.StringArg("PATH")
	_, _, file := database.SQLiteFile(p.DatabaseURL)
	switch {
	case path == "":
		return usage.Errorf("backup needs a PATH, such as backup.db")
	case strings.HasPrefix(p.DatabaseURL, "postgres"):
		return usage.Errorf("backup copies the file of SQLite; PostgreSQL is copied by pg_dump --format=custom --file=%s ADDRESS, also while it is in use", path)
	case !file:
		return usage.Errorf("%s=%q is no file, so there is nothing to copy", p.NameOf("DATABASE_URL"), p.DatabaseURL)
	}
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s: %w, and is not overwritten; name another file", path, fs.ErrExist)
	}
	return p.withDatabase(ctx, bootstrap.Look, func(db *database.DB) error {
		ctx, end := progress.Begin(ctx, "copying the database")
		defer end()
		if err := db.Backup(ctx, path); err != nil {
			return fmt.Errorf("copy to %s: %w", path, err)
		}
		_, err := fmt.Fprintln(p.out, "copied to", path)
		return err
	})
}
