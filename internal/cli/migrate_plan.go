//go:build source

package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mattn/go-isatty"

	"forge/internal/application"
	"forge/internal/changes"
	"forge/internal/migrator/dev"
	"forge/internal/read/binding"
	"forge/internal/tree"
	"forge/internal/usage"
)

// answers returns what the flags say, and otherwise the person at the terminal.
func (p program) answers() dev.Answers {
	return dev.Answers{Renames: p.cmd.StringSlice("rename"), Drops: p.cmd.StringSlice("drop"), Ask: askAt(os.Stdin, p.out)}
}

func migrateDiff(ctx context.Context, p program) error {
	name := p.cmd.StringArg("NAME")
	if name == "" {
		return usage.Errorf("migrate diff needs a name for what changes, such as add_reviews")
	}
	want, err := p.wantedSchema()
	if err != nil {
		return err
	}
	planned, err := dev.Diff(ctx, "migrate", name, p.cmd.String("dev-url"), want, p.answers())
	if err != nil {
		return err
	}
	if planned.Paths == nil {
		fmt.Fprintln(p.out, "ent/schema has not changed: nothing to write; an edit counts after go generate ./ent")
	}
	for _, old := range tree.Stale("") {
		fmt.Fprintln(p.out, "note:", old)
	}
	for _, path := range planned.Paths {
		fmt.Fprintln(p.out, path)
	}
	for _, lack := range planned.ByHand {
		fmt.Fprintf(p.out, "\nThe down section needs a hand, and then migrate hash. %s.\n", lack)
	}
	for _, f := range planned.Hints {
		fmt.Fprintf(p.out, "\n%s", f)
	}
	return nil
}

// wantedSchema returns the schema that ent/schema says. It returns an error if changes cannot be
// logged as ent/schema declares it: the database would lack a part of what it should have.
func (p program) wantedSchema() (dev.Schema, error) {
	entities := p.app.API(application.Services{}).Entities
	if findings := changes.Check(entities); findings != nil {
		return dev.Schema{}, &binding.MismatchError{Findings: findings}
	}
	return dev.Schema{Tables: p.app.Tables, Objects: application.AllObjects(entities)}, nil
}

// askAt returns a function that asks the person at the terminal in. It returns nil if in is not a
// terminal.
func askAt(in *os.File, out io.Writer) func(string) (bool, error) {
	if !isatty.IsTerminal(in.Fd()) && !isatty.IsCygwinTerminal(in.Fd()) {
		return nil
	}
	return asker(in, out)
}

// asker returns a function that repeats a question until the answer is yes or no.
func asker(in io.Reader, out io.Writer) func(string) (bool, error) {
	lines := bufio.NewReader(in)
	return func(question string) (bool, error) {
		for {
			fmt.Fprintf(out, "%s [y/n] ", question)
			line, err := lines.ReadString('\n')
			switch strings.ToLower(strings.TrimSpace(line)) {
			case "y", "yes":
				return true, nil
			case "n", "no":
				return false, nil
			}
			if err != nil {
				return false, err
			}
		}
	}
}

func migrateNew(_ context.Context, p program) error {
	paths, err := dev.New("migrate", p.cmd.StringArg("NAME"))
	if err != nil {
		return err
	}
	for _, path := range paths {
		fmt.Fprintln(p.out, path)
	}
	return nil
}

func migrateHash(_ context.Context, p program) error {
	written, err := dev.Hash("migrate")
	if err != nil {
		return err
	}
	if written == nil {
		fmt.Fprintln(p.out, "the checksums are right: nothing to write")
	}
	for _, path := range written {
		fmt.Fprintln(p.out, path)
	}
	return nil
}

func migrateLint(ctx context.Context, p program) error {
	findings, files, err := dev.Lint(ctx, "migrate", p.cmd.String("dev-url"), p.cmd.String("since"))
	if err != nil {
		return err
	}
	for _, f := range findings {
		fmt.Fprintln(p.out, f)
	}
	if len(findings) > 0 {
		return unacknowledged(len(findings), files)
	}
	fmt.Fprintf(p.out, "no findings in %d files\n", files)
	return nil
}

// unacknowledged returns the error with which lint ends if it has findings.
func unacknowledged(findings, files int) error {
	noun := "findings"
	if findings == 1 {
		noun = "finding"
	}
	return fmt.Errorf("%d %s in %d files: put each right, or acknowledge it in its file with a comment, "+
		"-- lint:allow RULE [TABLE[.COLUMN]] REASON", findings, noun, files)
}

func migrateVerify(ctx context.Context, p program) error {
	want, err := p.wantedSchema()
	if err != nil {
		return err
	}
	verdicts, err := dev.Verify(ctx, "migrate", p.cmd.String("dev-url"), want)
	if err != nil {
		return err
	}
	faults := 0
	for _, v := range verdicts {
		fmt.Fprint(p.out, v)
		faults += len(v.Faults)
	}
	if faults > 0 {
		things := "things are"
		if faults == 1 {
			things = "thing is"
		}
		return fmt.Errorf("%d %s wrong with the migrations, see above; `migrate verify --help` says what has to hold", faults, things)
	}
	return nil
}
