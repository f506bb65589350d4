package migrate

import (
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
)

// SQL prints the statements of all versions of a dialect, the oldest version
// first, or with down those that undo them, the newest first. It needs no
// database. It leaves out the rows that goose keeps about applied versions, so
// it is for reading and for tools that keep their own.
func SQL(w io.Writer, dialect string, down bool) error {
	files, err := filesOf(dialect)
	if err != nil {
		return err
	}
	return printSQL(w, files, down)
}

func printSQL(w io.Writer, files fs.FS, down bool) error {
	versions, err := versionsIn(files)
	if err != nil {
		return err
	}
	if down {
		slices.Reverse(versions)
	}
	for i, v := range versions {
		text, err := fs.ReadFile(files, v.file())
		if err != nil {
			return err
		}
		if i > 0 {
			fmt.Fprintln(w)
		}
		if _, err := fmt.Fprintf(w, "-- %s\n%s", v, section(string(text), down)); err != nil {
			return err
		}
	}
	return nil
}

// section returns the statements of a migration file's up or down section.
func section(text string, down bool) string {
	var kept strings.Builder
	current := ""
	for line := range strings.Lines(text) {
		if mark, ok := strings.CutPrefix(strings.TrimSpace(line), "-- +goose "); ok {
			if mark == "Up" || mark == "Down" {
				current = mark
			}
			continue
		}
		if current == "Up" && !down || current == "Down" && down {
			kept.WriteString(line)
		}
	}
	return strings.TrimSpace(kept.String()) + "\n"
}
