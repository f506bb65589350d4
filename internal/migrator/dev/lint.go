package dev

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	atlas "ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/schema"
	"entgo.io/ent/dialect"

	"forge/internal/migrator"
	"forge/internal/usage"
)

// A Finding is something in a migration file that may lose data, fail because of existing rows,
// break the previous build, or lock others out of a table.
type Finding struct {
	Path    string
	Line    int
	Rule    string // the name of the rule, which a comment that allows the finding must name
	Subject string // a table, or a part of it such as tasks.note; it may be empty
	Why     string
	Safe    string // what to do instead
}

// String returns the finding as lines for people.
func (f Finding) String() string {
	what := strings.TrimSpace(f.Rule + " " + f.Subject)
	return fmt.Sprintf("%s:%d: %s\n  why:  %s\n  safe: %s\n", f.Path, f.Line, what, f.Why, f.Safe)
}

// Lint runs the files in dir/postgres and dir/sqlite on empty databases. It returns the findings,
// and the number of files that it has checked. It checks the files that are newer than the version
// since, or all files if since is empty. If a comment in a file allows a finding, the finding is
// left out. If such a comment allows nothing, that is a finding too.
//
// Lint needs a PostgreSQL server in the same way as Diff.
func Lint(ctx context.Context, dir, devURL, since string) (findings []Finding, looked int, err error) {
	boxes, err := newSandboxes(ctx, "lint", devURL)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, boxes.close()) }()
	for i, d := range dialects {
		path := filepath.Join(dir, d.dir)
		files, err := filesIn(path)
		if err != nil {
			return nil, 0, fmt.Errorf("migrate: %w", err)
		}
		var after migrator.Version
		if since != "" {
			if after, err = source(dir, d.name).Find(since); err != nil {
				return nil, 0, usage.Errorf("--since=%s (%s)", err, path)
			}
		}
		found, err := lintFiles(ctx, boxes[i], d.name, files, after.Number)
		if err != nil {
			return nil, 0, fmt.Errorf("migrate: %w", err)
		}
		findings = append(findings, found...)
		looked += len(newer(files, after.Number))
	}
	return findings, looked, nil
}

// newer returns the files that are newer than a version.
func newer(files []file, than int64) []file {
	return slices.DeleteFunc(slices.Clone(files), func(f file) bool { return f.number() <= than })
}

// number returns the number of the file's version.
func (f file) number() (n int64) {
	fmt.Sscanf(filepath.Base(f.path), "%14d", &n)
	return n
}

// A linter holds the database on which the files run, one after the other.
type linter struct {
	dialect string
	db      *sql.DB
	driver  atlas.Driver
}

// lintFiles runs files, and returns the findings in those that are newer than the version since.
func lintFiles(ctx context.Context, box sandbox, name string, files []file, since int64) (findings []Finding, err error) {
	err = inSandbox(ctx, box, name, func(db *sql.DB, driver atlas.Driver) error {
		if err := foreignKeysOff(ctx, db, name); err != nil {
			return err
		}
		l := &linter{name, db, driver}
		for _, f := range files {
			s, err := migrator.ParseScript(string(f.text))
			if err != nil {
				return fmt.Errorf("%s, %w", f.path, err)
			}
			c := &fileLinter{linter: l, file: f, script: s}
			if err := c.run(ctx, f.number() > since); err != nil {
				return err
			}
			findings = append(findings, c.acknowledged()...)
		}
		return nil
	})
	return findings, err
}

// A snapshot is the schema of the database at one time.
type snapshot struct {
	*schema.Schema
	unchecked map[string]bool // the constraints that are NOT VALID, as table.name
}

// snapshot reads the present schema of the database.
func (l *linter) snapshot(ctx context.Context) (s snapshot, err error) {
	if s.Schema, err = inspect(ctx, l.driver); err != nil || l.dialect != dialect.Postgres {
		return s, err
	}
	s.unchecked = make(map[string]bool)
	rows, err := l.db.QueryContext(ctx, `SELECT relname || '.' || conname FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
		WHERE NOT convalidated AND relnamespace = current_schema()::regnamespace`)
	if err != nil {
		return s, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return s, err
		}
		s.unchecked[name] = true
	}
	return s, rows.Err()
}

// A fileLinter checks one file.
type fileLinter struct {
	*linter
	file     file
	script   migrator.Script
	before   snapshot        // the schema at the last comparison
	known    map[string]bool // the tables that existed before the file
	fresh    map[string]bool // the columns that the file has added to known tables, as table.column
	names    map[string]bool // the names of all tables that have existed while the file ran
	findings []Finding
}

// run runs the statements of the file, and checks them if linted is true. It compares schemas
// before each rename and begins anew after it: a comparison across a rename would see something
// dropped and something added. The rename itself is recognised by the text of the statement.
func (c *fileLinter) run(ctx context.Context, linted bool) (err error) {
	if !linted {
		return c.execAll(ctx, c.script.Up)
	}
	if c.before, err = c.snapshot(ctx); err != nil {
		return err
	}
	c.known, c.fresh, c.names = make(map[string]bool), make(map[string]bool), make(map[string]bool)
	for _, t := range c.before.Tables {
		c.known[t.Name] = true
	}
	for i, s := range c.script.Up {
		c.readStatement(i)
		r, ok := renameIn(s.Text)
		if !ok || r.kind == "TABLE" && !c.known[r.table] {
			if err := c.execAll(ctx, c.script.Up[i:i+1]); err != nil {
				return err
			}
			continue
		}
		if err := c.compare(ctx); err != nil {
			return err
		}
		if err := c.execAll(ctx, c.script.Up[i:i+1]); err != nil {
			return err
		}
		c.renamed(r, s.Line)
		if c.before, err = c.snapshot(ctx); err != nil {
			return err
		}
	}
	c.readMarks()
	return c.compare(ctx)
}

// execAll runs statements.
func (c *fileLinter) execAll(ctx context.Context, statements []migrator.Statement) error {
	for _, s := range statements {
		if _, err := c.db.ExecContext(ctx, s.Text); err != nil {
			return fmt.Errorf("%s, line %d: %w", c.file.path, s.Line, err)
		}
	}
	return nil
}

// compare checks everything that has changed since the last comparison.
func (c *fileLinter) compare(ctx context.Context) error {
	after, err := c.snapshot(ctx)
	if err != nil {
		return err
	}
	all, err := changes(c.driver, c.dialect, c.before.Schema, after.Schema)
	if err != nil {
		return err
	}
	for _, t := range slices.Concat(c.before.Tables, after.Tables) {
		c.names[t.Name] = true
	}
	for _, change := range all {
		switch change := change.(type) {
		case *schema.DropTable:
			if c.known[change.T.Name] {
				c.find("drop-table", change.T.Name, c.lineOf(change.T.Name, change.T.Name), "")
			}
		case *schema.ModifyTable:
			if !c.known[change.T.Name] {
				continue
			}
			t := tableChange{fileLinter: c, table: change.T, after: after, dropped: make(map[string]bool)}
			if err := t.note(ctx, change.Changes); err != nil {
				return err
			}
			for _, inner := range change.Changes {
				if err := t.look(ctx, inner); err != nil {
					return err
				}
			}
		}
	}
	c.before = after
	return nil
}

// find adds a finding, unless there is one of the same rule about the same subject. If why is
// empty, the rule's reason is used.
func (c *fileLinter) find(rule, subject string, line int, why string) {
	c.findSafe(rule, subject, line, why, "")
}

// findSafe does the same as find, but with the given advice. If that is empty, the rule's advice is
// used.
func (c *fileLinter) findSafe(rule, subject string, line int, why, advice string) {
	for _, f := range c.findings {
		if f.Rule == rule && f.Subject == subject {
			return
		}
	}
	r := rules[rule]
	safe := r.safe
	if c.dialect == dialect.Postgres && r.safePostgres != "" {
		safe = r.safePostgres
	}
	c.findings = append(c.findings, Finding{c.file.path, line, rule, subject, cmp.Or(why, r.why), cmp.Or(advice, safe)})
}

// lineOf returns the line of the statement that a finding is about: the first statement that names
// the part of the table, or else the first that names the copy of the table, or else the first that
// names the table.
func (c *fileLinter) lineOf(table, part string) int {
	copied := "new_" + table
	first := func(about func(text string) bool) int {
		i := slices.IndexFunc(c.script.Up, func(s migrator.Statement) bool { return about(s.Text) })
		if i < 0 {
			return 0
		}
		return c.script.Up[i].Line
	}
	return cmp.Or(
		first(func(text string) bool {
			return mentions(text, part) && (mentions(text, table) || mentions(text, copied))
		}),
		first(func(text string) bool { return mentions(text, copied) }),
		first(func(text string) bool { return mentions(text, table) }),
		1)
}
