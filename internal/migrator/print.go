package migrator

import (
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"strings"

	"entgo.io/ent/dialect"
)

// SQL prints a script for psql or sqlite3. It needs no database. The script is for a database that
// has all versions up to from.
//
// Without down, it applies the versions after from, up to and including to. With down, it undoes
// the versions after to, the newest first. If from or to is 0, there is no limit on that side.
//
// The script also records the versions in the database, but without descriptions of the schema,
// which a script cannot write.
func (s Source) SQL(w io.Writer, from, to int64, down bool) error {
	files, err := s.files()
	if err != nil {
		return err
	}
	return printSQL(w, s.dialect, files, from, to, down)
}

// printSQL prints the script of Source.SQL for the files of one dialect.
func printSQL(w io.Writer, name string, files fs.FS, from, to int64, down bool) error {
	versions, err := Versions(files)
	if err != nil {
		return err
	}
	after, last := from, to // print the versions v with after < v <= last
	if down {
		after, last = to, from
		slices.Reverse(versions)
	}
	if last == 0 {
		last = math.MaxInt64
	}
	versions = slices.DeleteFunc(versions, func(v Version) bool { return v.Number <= after || v.Number > last })
	p := printer{w: w}
	p.head(name)
	if !down && after == 0 {
		p.block("the table that says which versions there are", true, createVersionTable[name]+";\n"+insertVersion(0, "", 0)+";\n")
	}
	for _, v := range versions {
		script, err := ReadScript(files, v)
		if err != nil {
			return err
		}
		if err := (step{v, script, down}).runnable(); err != nil {
			return fmt.Errorf("migrate: %s: %w", v.File(), err)
		}
		text, err := fs.ReadFile(files, v.File())
		if err != nil {
			return err
		}
		served, err := serves(files, v)
		if err != nil {
			return err
		}
		row := insertVersion(v.Number, script.Checksum, served)
		if down {
			row = deleteVersion(v.Number)
		}
		p.block(v.String(), name == dialect.SQLite || !script.Outside, section(string(text), down)+row+";\n")
	}
	if name == dialect.SQLite {
		p.printf("\n-- This lists the rows that refer to one that does not exist. There must be none.\nPRAGMA foreign_key_check;\n")
	}
	return p.err
}

// A printer writes text until a write fails.
type printer struct {
	w   io.Writer
	err error // the first error
}

func (p *printer) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

// head prints the first lines of the script. They say how to run it, and make the program stop at
// the first error. Otherwise sqlite3 would commit half a step, and psql would record an index that
// it could not build.
func (p *printer) head(name string) {
	if name == dialect.SQLite {
		p.printf("-- Run this with: sqlite3 FILE < SCRIPT\n.bail on\n\n" +
			"-- A table is changed by way of a copy. With foreign keys on, dropping the old one would delete what refers to it.\n" +
			"PRAGMA foreign_keys = off;\n")
		return
	}
	p.printf("-- Run this with: psql -f SCRIPT DATABASE_URL\n\\set ON_ERROR_STOP on\n")
}

// block prints statements below a title. If transaction is true, they are in a transaction.
func (p *printer) block(title string, transaction bool, statements string) {
	if transaction {
		statements = "BEGIN;\n" + statements + "COMMIT;\n"
	}
	p.printf("\n-- %s\n%s", title, statements)
}

// section returns the up or the down section of a migration file, with its comments.
func section(text string, down bool) string {
	var kept strings.Builder
	wanted := "UP"
	if down {
		wanted = "DOWN"
	}
	current := ""
	for line := range strings.Lines(text) {
		word, ok := mark(line)
		switch {
		case ok && (word == "UP" || word == "DOWN"):
			current = word
		case current != wanted:
		case word == "STATEMENTEND" && !strings.HasSuffix(strings.TrimSpace(kept.String()), ";"):
			kept.WriteString(";\n") // goose does not need the semicolon, but psql and sqlite3 do
		case !ok:
			kept.WriteString(line)
		}
	}
	return strings.TrimSpace(kept.String()) + "\n"
}
