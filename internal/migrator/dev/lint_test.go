package dev_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"forge/internal/migrator/dev"
	"forge/test/dbtest"
)

func TestFilesLintClean(t *testing.T) {
	t.Parallel()
	findings, files, err := dev.Lint(t.Context(), ourFiles, dbtest.EmptyPostgres(t), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		t.Error(f)
	}
	if names, _ := filepath.Glob(filepath.Join(ourFiles, "*", "*.sql")); files != len(names) || files == 0 {
		t.Errorf("Lint looked at %d files of %d", files, len(names))
	}
}

// The schema before the linted file, for both dialects.
const lintInit = `-- +goose Up
CREATE TABLE teams (id bigint NOT NULL, name text NOT NULL, PRIMARY KEY (id), CONSTRAINT teams_name_length CHECK (length(name) BETWEEN 1 AND 50));
CREATE TABLE heroes (
  id bigint NOT NULL,
  name text NOT NULL,
  nickname text NULL,
  age integer NULL,
  state varchar(20) NOT NULL DEFAULT 'IDLE',
  team_id bigint NULL,
  wins bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  CONSTRAINT heroes_state_known CHECK (state IN ('IDLE', 'BUSY')),
  CONSTRAINT heroes_wins_known CHECK (wins IS NOT NULL)
);
CREATE INDEX hero_name ON heroes (name);
CREATE UNIQUE INDEX team_name ON teams (name);

-- +goose Down
DROP TABLE heroes;
DROP TABLE teams;
`

const nothing = "-- +goose Up\n-- Nothing to do for this database.\n\n-- +goose Down\n-- Nothing to do for this database.\n"

// lintDirs writes files as versions 1, 2 and so on, of which lintInit is the first.
func lintDirs(t *testing.T, postgres, sqlite []string) string {
	t.Helper()
	dir := mustMakeDirs(t)
	for d, texts := range map[string][]string{"postgres": postgres, "sqlite": sqlite} {
		for i, text := range append([]string{lintInit}, texts...) {
			path := filepath.Join(dir, d, fmt.Sprintf("2026010100000%d_step.sql", i+1))
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// summaries returns findings without their reasons, as dialect:line rule subject.
func summaries(dir string, findings []dev.Finding) (all []string) {
	for _, f := range findings {
		where, _ := filepath.Rel(dir, filepath.Dir(f.Path))
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s:%d %s %s", where, f.Line, f.Rule, f.Subject)))
	}
	return all
}

// upSection returns a file of statements, the first of which is on line 2.
func upSection(statements ...string) string {
	return "-- +goose Up\n" + strings.Join(statements, "\n") + "\n\n-- +goose Down\n"
}

func TestLint(t *testing.T) {
	t.Parallel()
	// SQLite changes a table by copying it. This is one without age, and with nickname NOT NULL.
	copied := upSection(
		"CREATE TABLE `new_heroes` (`id` bigint NOT NULL, `name` text NOT NULL, `nickname` text NOT NULL, `state` varchar(20) NOT NULL DEFAULT 'IDLE', `team_id` bigint NULL, `wins` bigint NOT NULL DEFAULT 0, PRIMARY KEY (`id`),",
		"  CONSTRAINT `heroes_state_known` CHECK (state IN ('IDLE', 'BUSY')), CONSTRAINT `heroes_wins_known` CHECK (wins IS NOT NULL));",
		"INSERT INTO `new_heroes` (`id`, `name`, `nickname`) SELECT `id`, `name`, IFNULL(`nickname`, '') FROM `heroes`;",
		"DROP TABLE `heroes`;",
		"ALTER TABLE `new_heroes` RENAME TO `heroes`;",
		"CREATE INDEX `hero_name` ON `heroes` (`name`);",
	)
	// This is one of teams, with another length.
	copiedTeams := func(most int) string {
		return upSection(
			fmt.Sprintf("CREATE TABLE `new_teams` (`id` bigint NOT NULL, `name` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `teams_name_length` CHECK (length(name) BETWEEN 1 AND %d));", most),
			"INSERT INTO `new_teams` (`id`, `name`) SELECT `id`, `name` FROM `teams`;",
			"DROP TABLE `teams`;",
			"ALTER TABLE `new_teams` RENAME TO `teams`;",
			"CREATE UNIQUE INDEX `team_name` ON `teams` (`name`);",
		)
	}
	tests := []struct {
		name     string
		both     string // the file of both dialects, or
		postgres string
		sqlite   string
		want     []string // with the dialect left out, of each dialect that has a file
		why      []string // what the reasons say, of all findings together
		not      []string // and do not say
		safe     string   // in each way out
	}{
		// What loses data.
		{name: "drop a table", both: upSection("DROP TABLE heroes;"), want: []string{"2 drop-table heroes"}, why: []string{"its rows are lost", "the build before"}},
		{name: "drop a table and make it again", both: upSection("DROP TABLE teams;", "CREATE TABLE teams (id bigint NOT NULL, name text NOT NULL, PRIMARY KEY (id));"),
			want: []string{"2 drop-table teams"}},
		{name: "drop a column", both: upSection("SELECT 1;", "ALTER TABLE heroes DROP COLUMN age;"), want: []string{"3 drop-column heroes.age"}},
		{name: "drop a column and add it again", both: upSection("ALTER TABLE heroes DROP COLUMN age;", "ALTER TABLE heroes ADD COLUMN age integer NULL;"),
			want: []string{"2 drop-column heroes.age"}},
		{name: "a column that is gone from the copy", sqlite: copied, want: []string{"2 set-not-null heroes.nickname", "2 drop-column heroes.age"}},
		{name: "delete rows", both: upSection("DELETE FROM heroes WHERE age < 0;"), want: []string{"2 delete-rows heroes"}},
		{name: "truncate", postgres: upSection("TRUNCATE heroes;"), want: []string{"2 truncate heroes"}},
		{name: "update all rows", both: upSection("UPDATE heroes SET age = 1;", "UPDATE heroes SET age = 2 WHERE age IS NULL;"), want: []string{"2 update-all-rows heroes"}},
		{name: "an update in a text", both: upSection("UPDATE heroes SET nickname = 'UPDATE heroes SET age = 1' WHERE id = 1; -- DELETE FROM heroes")},
		{name: "cascade", postgres: upSection("ALTER TABLE heroes DROP CONSTRAINT heroes_state_known CASCADE;"), want: []string{"2 drop-cascade"}},
		{name: "a reference that cascades", postgres: upSection(
			"ALTER TABLE heroes DROP CONSTRAINT heroes_state_known, ADD COLUMN rival_id bigint NULL, ADD CONSTRAINT h_r FOREIGN KEY (rival_id) REFERENCES heroes (id) ON DELETE CASCADE NOT VALID;")},

		// What the build before does not survive.
		{name: "rename a table", both: upSection("ALTER TABLE heroes RENAME TO champions;", "ALTER TABLE champions DROP COLUMN age;"),
			want: []string{"2 rename-table heroes", "3 drop-column champions.age"}},
		{name: "rename a column", both: upSection(`ALTER TABLE "heroes" RENAME COLUMN "nickname" TO "handle";`), want: []string{"2 rename-column heroes.nickname"}},
		{name: "rename an index", postgres: upSection("ALTER INDEX hero_name RENAME TO hero_names;", "ALTER TABLE heroes RENAME CONSTRAINT heroes_state_known TO state_known;")},
		{name: "another name for a unique index", sqlite: upSection("DROP INDEX team_name;", "CREATE UNIQUE INDEX team_names ON teams (name);")},
		{name: "another name for a check", postgres: upSection("ALTER TABLE heroes DROP CONSTRAINT heroes_state_known, ADD CONSTRAINT state_known CHECK (state IN ('IDLE', 'BUSY'));"),
			want: []string{"2 add-check heroes.state_known"}, why: []string{"whole table is read"}, not: []string{"against it"}},

		// What depends on the rows.
		{name: "a new column", both: upSection("ALTER TABLE heroes ADD COLUMN city text NULL;", "ALTER TABLE heroes ADD COLUMN rank integer NOT NULL DEFAULT 1;")},
		{name: "a new column that may not be empty", postgres: upSection("ALTER TABLE heroes ADD COLUMN city text NOT NULL;"), want: []string{"2 add-not-null-column heroes.city"}},
		{name: "not null", postgres: upSection("ALTER TABLE heroes ALTER COLUMN age SET NOT NULL;"), want: []string{"2 set-not-null heroes.age"}, why: []string{"without a value", "whole table is read"}},
		{name: "not null again, since a check says so already", postgres: upSection("ALTER TABLE heroes ALTER COLUMN wins DROP NOT NULL;", "ALTER TABLE heroes ALTER COLUMN wins SET NOT NULL;")},
		{name: "a type", postgres: upSection("ALTER TABLE heroes ALTER COLUMN age TYPE bigint;"), want: []string{"2 change-type heroes.age"}, why: []string{"written anew"}},
		{name: "longer text", postgres: upSection("ALTER TABLE heroes DROP CONSTRAINT heroes_state_known;", "ALTER TABLE heroes ALTER COLUMN state TYPE varchar(30);")},
		{name: "shorter text", postgres: upSection("ALTER TABLE heroes DROP CONSTRAINT heroes_state_known;", "ALTER TABLE heroes ALTER COLUMN state TYPE varchar(10);"), want: []string{"3 change-type heroes.state"}},
		{name: "another order of text", postgres: upSection(`ALTER TABLE heroes ALTER COLUMN nickname TYPE text COLLATE "C";`), want: []string{"2 change-type heroes.nickname"}},
		{name: "a unique index", sqlite: upSection("CREATE UNIQUE INDEX h_n ON heroes (nickname);"), want: []string{"2 add-unique-index heroes.h_n"}, why: []string{"duplicates"}},
		{name: "a unique index over a new column", sqlite: upSection("ALTER TABLE heroes ADD COLUMN code text NULL;", "CREATE UNIQUE INDEX h_c ON heroes (code);")},
		{name: "a unique constraint", postgres: upSection("ALTER TABLE heroes ADD CONSTRAINT h_n UNIQUE (nickname);"), want: []string{"2 add-unique-index heroes.h_n"}, why: []string{"nobody can use"}},
		{name: "a check", postgres: upSection("ALTER TABLE heroes ADD CONSTRAINT h_a CHECK (age >= 0);"), want: []string{"2 add-check heroes.h_a"}, why: []string{"against it", "the build before", "whole table is read"}},
		{name: "a check that is not valid", postgres: upSection("ALTER TABLE heroes ADD CONSTRAINT h_a CHECK (age >= 0) NOT VALID;"),
			want: []string{"2 add-check heroes.h_a"}, why: []string{"the build before"}, not: []string{"against it", "whole table"}},
		{name: "a check of a new column", postgres: upSection("ALTER TABLE heroes ADD COLUMN city varchar NULL, ADD CONSTRAINT h_c CHECK (length(city) > 1);"),
			want: []string{"2 add-check heroes.h_c"}, why: []string{"whole table is read"}, not: []string{"against it"}},
		{name: "a check of a new column that is not valid", postgres: upSection("ALTER TABLE heroes ADD COLUMN city varchar NULL, ADD CONSTRAINT h_c CHECK (length(city) > 1) NOT VALID;")},
		{name: "a list of less", postgres: upSection("ALTER TABLE heroes DROP CONSTRAINT heroes_state_known, ADD CONSTRAINT heroes_state_known CHECK (state IN ('IDLE'));"),
			want: []string{"2 change-check heroes.heroes_state_known"}, why: []string{"against it", "the build before"}},
		{name: "a list of more", postgres: upSection("ALTER TABLE heroes DROP CONSTRAINT heroes_state_known, ADD CONSTRAINT heroes_state_known CHECK (state IN ('IDLE', 'BUSY', 'GONE'));"),
			want: []string{"2 change-check heroes.heroes_state_known"}, why: []string{"whole table is read"}, not: []string{"against it", "the build before"}, safe: "every row meets it"},
		{name: "a list of more that is not valid", postgres: upSection(
			"ALTER TABLE heroes DROP CONSTRAINT heroes_state_known, ADD CONSTRAINT heroes_state_known CHECK (state IN ('IDLE', 'BUSY', 'GONE')) NOT VALID;")},
		{name: "a longer text", postgres: upSection(
			"ALTER TABLE teams DROP CONSTRAINT teams_name_length, ADD CONSTRAINT teams_name_length CHECK (length(name) BETWEEN 1 AND 60);"),
			want: []string{"2 change-check teams.teams_name_length"}, why: []string{"whole table is read"}, not: []string{"against it", "the build before"}, safe: "every row meets it"},
		{name: "a longer text that is not valid", postgres: upSection(
			"ALTER TABLE teams DROP CONSTRAINT teams_name_length, ADD CONSTRAINT teams_name_length CHECK (length(name) BETWEEN 1 AND 60) NOT VALID;")},
		{name: "a longer text in the copy", sqlite: copiedTeams(60)},
		{name: "a text that is not as long", postgres: upSection(
			"ALTER TABLE teams DROP CONSTRAINT teams_name_length, ADD CONSTRAINT teams_name_length CHECK (length(name) BETWEEN 1 AND 40);"),
			want: []string{"2 change-check teams.teams_name_length"}, why: []string{"against it", "the build before"}},
		{name: "a text that is not as long in the copy", sqlite: copiedTeams(40),
			want: []string{"2 change-check teams.teams_name_length"}, why: []string{"against it", "the build before"}},
		{name: "a foreign key", postgres: upSection("ALTER TABLE heroes ADD CONSTRAINT h_t FOREIGN KEY (team_id) REFERENCES teams (id);"),
			want: []string{"2 add-foreign-key heroes.h_t"}, why: []string{"against it", "the build before", `write to it or to "teams"`}},
		{name: "a foreign key of a new column", postgres: upSection("ALTER TABLE heroes ADD COLUMN rival_id bigint NULL, ADD CONSTRAINT h_r FOREIGN KEY (rival_id) REFERENCES heroes (id);"),
			want: []string{"2 add-foreign-key heroes.h_r"}, why: []string{"whole table is read"}, not: []string{"against it"}},
		{name: "a primary key", postgres: upSection("ALTER TABLE teams DROP CONSTRAINT teams_pkey, ADD PRIMARY KEY (name);"), want: []string{"2 change-primary-key teams"}},

		// What holds locks on PostgreSQL, or leaves half of it done.
		{name: "an index", postgres: upSection("CREATE INDEX h_n ON heroes (nickname);"), want: []string{"2 create-index heroes.h_n"}},
		{name: "an index concurrently", postgres: "-- +goose NO TRANSACTION\n" + upSection("CREATE INDEX CONCURRENTLY h_n ON heroes (nickname);")},
		{name: "an index on SQLite", sqlite: upSection("CREATE INDEX h_n ON heroes (nickname);")},
		{name: "a unique index concurrently", postgres: "-- +goose NO TRANSACTION\n" + upSection("CREATE UNIQUE INDEX CONCURRENTLY h_n ON heroes (nickname);"),
			want: []string{"3 add-unique-index heroes.h_n"}, why: []string{"duplicates"}, not: []string{"nobody can use"}},
		{name: "concurrently in a transaction", postgres: upSection("CREATE INDEX CONCURRENTLY h_n ON heroes (nickname);"), want: []string{"2 concurrently-in-transaction"}},
		{name: "concurrently in a transaction, on the way back", postgres: upSection("SELECT 1;") + "DROP INDEX CONCURRENTLY hero_name;\n", want: []string{"5 concurrently-in-transaction"}},
		{name: "several statements outside of one", both: "-- +goose NO TRANSACTION\n" + upSection("ALTER TABLE heroes ADD COLUMN a text NULL;", "ALTER TABLE heroes ADD COLUMN b text NULL;"),
			want: []string{"4 several-statements"}},
		{name: "a default for each row", postgres: upSection("ALTER TABLE heroes ADD COLUMN code uuid NOT NULL DEFAULT gen_random_uuid();"), want: []string{"2 volatile-default heroes.code"}},
		{name: "a default for all rows", postgres: upSection("ALTER TABLE heroes ADD COLUMN seen timestamptz NOT NULL DEFAULT now();")},

		// Changes that do no harm have no findings.
		{name: "a table of the file's own", both: upSection("CREATE TABLE places (id bigint NOT NULL, name text NULL);", "CREATE UNIQUE INDEX p_n ON places (name);",
			"INSERT INTO places (id) VALUES (1);", "UPDATE places SET id = 2;", "ALTER TABLE places RENAME COLUMN name TO title;", "DROP INDEX p_n;", "ALTER TABLE places DROP COLUMN title;", "DELETE FROM places;", "DROP TABLE places;")},
		{name: "harm on the way back", both: upSection("ALTER TABLE heroes ADD COLUMN city text NULL;") + "ALTER TABLE heroes DROP COLUMN city;\nDROP TABLE teams;\n"},

		// Findings that a file acknowledges are left out.
		{name: "acknowledged", both: upSection("-- lint:allow drop-table heroes nobody reads it since the last release", "DROP TABLE heroes;")},
		{name: "acknowledged by its table", both: upSection("-- lint:allow drop-column heroes unused", "ALTER TABLE heroes DROP COLUMN age;", "ALTER TABLE heroes DROP COLUMN nickname;")},
		{name: "acknowledged by its column", both: upSection("-- lint:allow drop-column heroes.age unused", "ALTER TABLE heroes DROP COLUMN age;", "ALTER TABLE heroes DROP COLUMN nickname;"),
			want: []string{"4 drop-column heroes.nickname"}},
		{name: "acknowledged wherever it is", both: upSection("-- lint:allow drop-column unused since May", "ALTER TABLE heroes DROP COLUMN age;")},
		{name: "acknowledged without a reason", both: upSection("-- lint:allow drop-table heroes", "DROP TABLE heroes;"), want: []string{"2 bad-allow", "3 drop-table heroes"}, why: []string{"no reason"}},
		{name: "acknowledged by another rule's name", both: upSection("-- lint:allow drop-tables heroes unused", "DROP TABLE heroes;"), want: []string{"2 bad-allow", "3 drop-table heroes"},
			why: []string{`"drop-tables"`, "drop-table, "}},
		{name: "acknowledged with no word", both: upSection("-- lint:allow", "DROP TABLE heroes;"), want: []string{"2 bad-allow", "3 drop-table heroes"}},
		{name: "an acknowledgement of nothing", both: upSection("-- lint:allow drop-table heroes unused", "ALTER TABLE heroes DROP COLUMN age;"), want: []string{"2 unused-allow drop-table", "3 drop-column heroes.age"}},
		{name: "an acknowledgement of another column", both: upSection("-- lint:allow drop-column heroes.ages unused", "ALTER TABLE heroes DROP COLUMN age;"), want: []string{"2 unused-allow drop-column", "3 drop-column heroes.age"}},
		{name: "acknowledged, and it says which builds go on", both: upSection("-- lint:allow drop-table heroes unused", "-- forge:serves heroes", "DROP TABLE heroes;"), want: []string{"3 bad-serves"}, why: []string{"no version before it"}},
		{name: "an acknowledgement that cannot be acknowledged", both: upSection("-- lint:allow unused-allow it stays", "SELECT 1;"), want: []string{"2 bad-allow"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			texts := map[string]string{"postgres": tt.postgres, "sqlite": tt.sqlite}
			var want []string
			for _, d := range []string{"postgres", "sqlite"} {
				if tt.both != "" {
					texts[d] = tt.both
				}
				if texts[d] == "" {
					texts[d] = nothing
					continue
				}
				for _, w := range tt.want {
					want = append(want, d+":"+w)
				}
			}
			dir := lintDirs(t, []string{texts["postgres"]}, []string{texts["sqlite"]})
			findings, _, err := dev.Lint(t.Context(), dir, dbtest.EmptyPostgres(t), "")
			if err != nil {
				t.Fatal(err)
			}
			if got := summaries(dir, findings); !slices.Equal(got, want) {
				t.Errorf("Lint finds\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			var reasons strings.Builder
			for _, f := range findings {
				fmt.Fprintln(&reasons, f.Why)
				if f.Why == "" || f.Safe == "" || !strings.Contains(f.Safe, tt.safe) {
					t.Errorf("a finding has no reason, or not the way out: %+v", f)
				}
			}
			for _, why := range tt.why {
				if !strings.Contains(reasons.String(), why) {
					t.Errorf("the reasons do not say %q:\n%s", why, &reasons)
				}
			}
			for _, why := range tt.not {
				if strings.Contains(reasons.String(), why) {
					t.Errorf("the reasons say %q:\n%s", why, &reasons)
				}
			}
		})
	}
}

// The way that the findings recommend has no findings, except those that only a person can judge.
func TestLintOfTheSafeWayToNotNull(t *testing.T) {
	t.Parallel()
	files := []string{
		upSection("-- lint:allow add-check heroes.age_filled the last build always writes an age",
			"ALTER TABLE heroes ADD CONSTRAINT age_filled CHECK (age IS NOT NULL) NOT VALID;"),
		upSection("UPDATE heroes SET age = 18 WHERE age IS NULL;"),
		upSection("ALTER TABLE heroes VALIDATE CONSTRAINT age_filled;"),
		upSection("ALTER TABLE heroes ALTER COLUMN age SET NOT NULL;", "ALTER TABLE heroes DROP CONSTRAINT age_filled;"),
	}
	dir := lintDirs(t, files, []string{nothing, nothing, nothing, nothing})
	findings, _, err := dev.Lint(t.Context(), dir, dbtest.EmptyPostgres(t), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		t.Error(f)
	}
}

func TestLintSince(t *testing.T) {
	t.Parallel()
	files := []string{upSection("DROP TABLE teams;"), upSection("ALTER TABLE heroes DROP COLUMN age;")}
	dir, devURL := lintDirs(t, files, files), dbtest.EmptyPostgres(t)
	for since, want := range map[string]struct {
		files    int
		findings []string
	}{
		"":                        {6, []string{"postgres:2 drop-table teams", "postgres:2 drop-column heroes.age", "sqlite:2 drop-table teams", "sqlite:2 drop-column heroes.age"}},
		"20260101000002":          {2, []string{"postgres:2 drop-column heroes.age", "sqlite:2 drop-column heroes.age"}},
		"20260101000003_step.sql": {0, nil},
	} {
		findings, files, err := dev.Lint(t.Context(), dir, devURL, since)
		if err != nil {
			t.Fatal(err)
		}
		if got := summaries(dir, findings); files != want.files || !slices.Equal(got, want.findings) {
			t.Errorf("since %q: %d files and %v, want %d and %v", since, files, got, want.files, want.findings)
		}
	}
	_, _, err := dev.Lint(t.Context(), dir, devURL, "2025")
	if err == nil || !strings.Contains(err.Error(), `"2025"`) || !strings.Contains(err.Error(), "20260101000001_step") {
		t.Errorf("since a version that is not there: %v, want an error that names it and those that are", err)
	}
}

func TestLintOfAFileThatDoesNotRun(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		upSection("SELECT 1;", "ALTER TABLE nowhere DROP COLUMN age;"): "line 3",
		"DROP TABLE heroes;\n": "line 1",
	} {
		dir := lintDirs(t, []string{text}, []string{nothing})
		_, _, err := dev.Lint(t.Context(), dir, dbtest.EmptyPostgres(t), "")
		if err == nil || !strings.Contains(err.Error(), filepath.Join("postgres", "20260101000002_step.sql")) || !strings.Contains(err.Error(), want) {
			t.Errorf("Lint: %v, want an error that names the file and %s", err, want)
		}
	}
}

func TestLintOutsideOfASourceTree(t *testing.T) {
	t.Parallel()
	_, _, err := dev.Lint(t.Context(), t.TempDir(), dbtest.EmptyPostgres(t), "")
	if err == nil || !strings.Contains(err.Error(), "postgres") || !strings.Contains(err.Error(), "source tree") {
		t.Errorf("Lint: %v, want an error that says what is missing", err)
	}
}

// TestLintOfBounds compares conditions on numbers, in the words of their author and of PostgreSQL.
func TestLintOfBounds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		from, to string
		want     bool
	}{
		{"length(name) BETWEEN 1 AND 50", "length(name) BETWEEN 1 AND 60", true},
		{"length(name) BETWEEN 1 AND 50", "length(name) between 0 and 50", false}, // other words
		{"length(name) BETWEEN 1 AND 50", "length(name) BETWEEN 0 AND 50", true},
		{"length(name) BETWEEN 1 AND 50", "length(name) BETWEEN 2 AND 60", false},
		{"length(name) BETWEEN 1 AND 50", "length(title) BETWEEN 1 AND 60", false},
		{"((length((name)::text) >= 1) AND (length((name)::text) <= 50))", "((length((name)::text) >= 1) AND (length((name)::text) <= 60))", true},
		{"((length((name)::text) >= 1) AND (length((name)::text) <= 50))", "((length((name)::text) >= 2) AND (length((name)::text) <= 60))", false},
		{"((length((name)::text) >= 1) AND (length((name)::text) <= 50))", "(length((name)::text) <= 60)", false},
		{"(age >= 0)", "(age >= '-1'::integer)", true},
		{"(age >= '-1'::integer)", "(age >= 0)", false},
		{`"age" > 1`, `"age" > 0`, true},
		{`"age" > 1`, `"age" >= 0`, false},
		{"age < 9", "age < 10", true},
		{"age < 10", "age < 9", false},
		{"age < 9223372036854775808", "age < 9223372036854775809", false}, // more than is counted here
		{"NOT (age < 9)", "NOT (age < 10)", false},
		{"(age < 9) = old", "(age < 10) = old", false},
		{"coalesce(age < 9, true)", "coalesce(age < 10, true)", false},
		{"age < 9 * wins", "age < 10 * wins", false},
		{"age <> 9", "age <> 10", false},
		{"age NOT BETWEEN 1 AND 9", "age NOT BETWEEN 1 AND 10", false},
	} {
		if got := dev.Wider(tt.from, tt.to); got != tt.want {
			t.Errorf("%s after %s: wider is %t, want %t", tt.to, tt.from, got, tt.want)
		}
	}
}
