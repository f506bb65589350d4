package cli

import "github.com/urfave/cli/v3"

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

func newCommand(do runner) *cli.Command {
	return &cli.Command{
		Name: "new", Action: do(migrateNew),
		Usage: "write the migration NAME with nothing in it, in a source tree, for what ent/schema does not say",
		Description: "For statements that are written by hand, such as CREATE INDEX CONCURRENTLY, which stands alone in a file that begins with " +
			"-- +goose NO TRANSACTION. Then migrate hash writes the checksums anew.",
		Arguments: []cli.Argument{&cli.StringArg{Name: "NAME", UsageText: "NAME"}},
	}
}

func hashCommand(do runner) *cli.Command {
	return &cli.Command{
		Name: "hash", Action: do(migrateHash),
		Usage: "write the checksums of the migrations anew, in a source tree",
		Description: "For a file that was edited after diff wrote it, and that no database has yet: a database refuses a file that is not what it was " +
			"migrated with. The exit status is 0, and 1 if a file cannot be read or one of the two kinds of database lacks it.",
	}
}

func lintCommand(do runner) *cli.Command {
	return &cli.Command{
		Name: "lint", Action: do(migrateLint),
		Usage: "say what the migrations in a source tree may do harm with",
		Description: "It runs the files on empty databases and says what would lose data, fail on data, break the build before, or keep others from a table. " +
			"A file acknowledges a finding with a comment, -- lint:allow RULE [TABLE[.COLUMN]] REASON, and one that acknowledges nothing is a finding " +
			"itself. The exit status is 0 if there is no other finding and 1 if there is. Each finding names its rule.",
		Flags: []cli.Flag{devURLFlag(), versionFlag("since", "only files that are newer than this version (default: all)")},
	}
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

func beginCommand(do runner) *cli.Command {
	return &cli.Command{
		Name: "begin", Action: do(migrateBegin),
		Usage: "begin a new history, in a source tree: one migration that creates everything in ent/schema replaces all that are there",
		Description: "For an application that has no database yet whose rows have to stay. It asks before it loses files that git does not have, or " +
			"statements that ent/schema does not give, such as triggers and rows; where nobody can be asked, --yes answers. Databases with the old " +
			"history are refused from then on; it says what to do with them. Unless the exit status is 0, nothing was written.",
		Flags: []cli.Flag{devURLFlag(), &cli.BoolFlag{Name: "yes", Local: true, HideDefault: true, Usage: "lose what there is to lose"}},
	}
}

func foldCommand(do runner) *cli.Command {
	return &cli.Command{
		Name: "fold", Action: do(migrateFold),
		Usage: "make one migration NAME of the newest ones that are called dev, which the command dev has written, in a source tree",
		Description: "The new one is planned as diff plans it, from the migrations before them to ent/schema, so what was added and taken away again is not in it. " +
			"The database of the settings is told, and keeps its rows. Migrations that git has are refused: others may have applied them. " +
			"Unless the exit status is 0, nothing was written.",
		Arguments: []cli.Argument{&cli.StringArg{Name: "NAME", UsageText: "NAME"}},
		Flags:     answerFlags(),
	}
}
