//go:build source

package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"forge/internal/migrator/catalog"
	"forge/internal/migrator/dev"
	"forge/internal/usage"
)

func migrateBegin(ctx context.Context, p program) error {
	sure := p.cmd.Bool("yes")
	if files := uncommitted(ctx); !sure && len(files) > 0 {
		if err := p.allow("git does not have these as they are, and they would be lost: " + strings.Join(files, " ")); err != nil {
			return err
		}
	}
	want, err := p.wantedSchema()
	if err != nil {
		return err
	}
	begun, err := dev.Begin(ctx, "migrate", p.cmd.String("dev-url"), want, sure)
	if loss, ok := errors.AsType[*dev.LossError](err); ok {
		if err := p.allow(loss.Error()); err != nil {
			return err
		}
		begun, err = dev.Begin(ctx, "migrate", p.cmd.String("dev-url"), want, true)
	}
	if err != nil {
		return err
	}
	for _, path := range begun.Removed {
		fmt.Fprintln(p.out, "removed", path)
	}
	for _, path := range begun.Paths {
		fmt.Fprintln(p.out, path)
	}
	_, err = fmt.Fprintf(p.out, `
A database with the old history is refused from now on. If its rows may go, make it anew: delete
forge.db, or drop and create the database. If its schema already is that of ent/schema, this makes
it one with the new history:
DELETE FROM %s WHERE version_id > 0; INSERT INTO %[1]s (version_id, is_applied) VALUES (%d, true);
`, catalog.VersionTable, begun.Version)
	return err
}

// allow asks whether to go on although something would be lost. It returns an error if the answer
// is no, or if nobody can be asked.
func (p program) allow(loss string) error {
	ask := askAt(os.Stdin, p.out)
	if ask == nil {
		return usage.Errorf("%s; --yes goes on nevertheless", loss)
	}
	sure, err := ask(loss + ". Go on?")
	if err == nil && !sure {
		err = errors.New("nothing was changed")
	}
	return err
}

// uncommitted returns the migrations of which git has not the present text. If git cannot say, it
// returns the folder.
func uncommitted(ctx context.Context) []string {
	if gitSays(ctx, "rev-parse", "--is-inside-work-tree") == "" {
		return []string{"migrate"}
	}
	var files []string
	for line := range strings.Lines(gitSays(ctx, "status", "--porcelain", "--ignored", "--untracked-files=all", "--", "migrate")) {
		if path := strings.TrimSpace(line[min(3, len(line)):]); strings.HasSuffix(path, ".sql") {
			files = append(files, path)
		}
	}
	return files
}

// gitSays returns what a command of git prints, or "" if it fails.
func gitSays(ctx context.Context, args ...string) string {
	output, err := exec.CommandContext(ctx, "git", args...).Output()
	if err != nil {
		return ""
	}
	return string(output)
}
