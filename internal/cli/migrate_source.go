package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/urfave/cli/v3"

	"forge/internal/application"
	"forge/internal/changes"
	"forge/internal/migrator/dev"
	"forge/internal/read/binding"
	"forge/internal/sourcetree"
	"forge/internal/usage"
)

// The following commands change files of the source tree. They do not use the database of the
// settings.

func devURLFlag() cli.Flag {
	return &cli.StringFlag{Name: "dev-url", Local: true, Sources: cli.EnvVars("DEV_DATABASE_URL"),
		Usage: "a PostgreSQL to try statements on, postgres://…; without it one is started from installed programs"}
}

func diffCommand(do runner) *cli.Command {
	return &cli.Command{
		Name: "diff", Action: do(migrateDiff),
		Usage: "write the migration NAME for what has changed in ent/schema, in a source tree",
		Description: "It writes a file with an up and a down section for PostgreSQL and one for SQLite, and their checksums (atlas.sum); then it prints what " +
			"lint says of them. If nothing has changed it writes nothing. What is gone and may have a new name is asked about; where nobody can be " +
			"asked, --rename and --drop answer. The exit status is 0, 2 if an answer is missing or fits nothing, and 1 after any other failure; " +
			"unless it is 0, nothing was written.",
		Arguments: []cli.Argument{&cli.StringArg{Name: "NAME", UsageText: "NAME"}},
		Flags:     answerFlags(),
	}
}

// answerFlags are the flags of commands that plan, and may have to ask.
func answerFlags() []cli.Flag {
	return []cli.Flag{
		devURLFlag(),
		&cli.StringSliceFlag{Name: "rename", Local: true,
			Usage: "OLD:NEW, what has a new name and is to keep what is in it: TABLE.COLUMN:NEW (or COLUMN:NEW) for a column, TABLE:NEW for a table; may be given again"},
		&cli.StringSliceFlag{Name: "drop", Local: true,
			Usage: "OLD, what has no new name and is to be lost: TABLE.COLUMN (or COLUMN) or TABLE; may be given again"},
	}
}

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
	for _, old := range sourcetree.Stale("") {
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

func newCommand(do runner) *cli.Command {
	return &cli.Command{
		Name: "new", Action: do(migrateNew),
		Usage: "write the migration NAME with nothing in it, in a source tree, for what ent/schema does not say",
		Description: "For statements that are written by hand, such as CREATE INDEX CONCURRENTLY, which stands alone in a file that begins with " +
			"-- +goose NO TRANSACTION. Then migrate hash writes the checksums anew.",
		Arguments: []cli.Argument{&cli.StringArg{Name: "NAME", UsageText: "NAME"}},
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

func hashCommand(do runner) *cli.Command {
	return &cli.Command{
		Name: "hash", Action: do(migrateHash),
		Usage: "write the checksums of the migrations anew, in a source tree",
		Description: "For a file that was edited after diff wrote it, and that no database has yet: a database refuses a file that is not what it was " +
			"migrated with. The exit status is 0, and 1 if a file cannot be read or one of the two kinds of database lacks it.",
	}
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

func lintCommand(do runner) *cli.Command {
	return &cli.Command{
		Name: "lint", Action: do(migrateLint),
		Usage: "say what the migrations in a source tree may do harm with",
		Description: "It runs the files on empty databases and says what would lose data, fail on data, break the build before, or keep others from a table. " +
			"A file acknowledges a finding with a comment, -- lint:allow RULE [TABLE[.COLUMN]] REASON, and one that acknowledges nothing is a finding " +
			"itself. The exit status is 0 if there is no other finding and 1 if there is. The rules: " + strings.Join(dev.Rules(), ", ") + ".",
		Flags: []cli.Flag{devURLFlag(), versionFlag("since", "only files that are newer than this version (default: all)")},
	}
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

func verifyCommand(do runner) *cli.Command {
	return &cli.Command{
		Name: "verify", Action: do(migrateVerify),
		Usage: "try each migration in a source tree up, down and up again, with rows in all tables",
		Description: "It runs the files on empty databases of both kinds, a file at a time, and compares the whole schema and all rows after each way. " +
			"A down section has to bring back what was, rows have to be there as before, and all files together have to give what ent/schema says. " +
			"Before each file, every table gets rows that its constraints allow; where none could be made, a note says so. What a file acknowledges to lose, or " +
			"to fail on, is only noted: -- lint:allow RULE [TABLE[.COLUMN]] REASON, see lint. So is what lint does not see, with -- verify:allow in the place " +
			"of -- lint:allow and one of these rules: change-values, for values that are overwritten and that down cannot bring back; insert-rows, for rows " +
			"that up puts in and down leaves. One that acknowledges nothing is wrong itself. The checksums (atlas.sum) have to be those of the files. " +
			"The exit status is 0 if all is well, and 1 if something is wrong or cannot be tried.",
		Flags: []cli.Flag{devURLFlag()},
	}
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
