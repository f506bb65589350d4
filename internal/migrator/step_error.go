package migrator

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/lib/pq"
)

// A StepError means that a step of a migration failed. It names the statement that the database
// refused.
type StepError struct {
	File      string // such as 20261123032934_init.sql
	Down      bool   // the statement is in the down section
	Statement int    // its number in the section, from 1; 0 if the end of the step failed
	Line      int    // the line of the file on which the statement begins
	Err       error  // the error of the database

	statement Statement
	before    int    // the length of the comment that goose sent before the statement
	kept      string // a clause about what remains of the step; "" if nothing does
}

// Unwrap returns the error of the database.
func (e *StepError) Unwrap() error { return e.Err }

// Error names the statement and contains the message of the database. If the database says at which
// character the statement is wrong, Error says where this is in the file.
func (e *StepError) Error() string {
	if restore, ok := errors.AsType[*RestoreError](e.Err); ok {
		return fmt.Sprintf("%s: its down section ran, but %s; %s", e.File, restore,
			cmp.Or(e.kept, "nothing of this file was kept")+"; what `migrate sql --down` prints can be corrected and run by hand")
	}
	section := "up"
	if e.Down {
		section = "down"
	}
	var b strings.Builder
	if e.Statement == 0 {
		fmt.Fprintf(&b, "%s: the end of its %s section failed: ", e.File, section)
	} else {
		fmt.Fprintf(&b, "%s, line %d: statement %d of its %s section failed: ", e.File, e.Line, e.Statement, section)
	}
	b.WriteString(e.databaseMessage())
	if e.Statement != 0 {
		fmt.Fprintf(&b, ", in %q", truncate(e.statement.Text, 80))
	}
	return b.String() + "; " + cmp.Or(e.kept, "nothing of this file was kept")
}

// databaseMessage returns the message of the database. For PostgreSQL, it adds the code, the
// position, the detail and the hint.
func (e *StepError) databaseMessage() string {
	refused, ok := errors.AsType[*pq.Error](e.Err)
	if !ok {
		return e.Err.Error()
	}
	text := fmt.Sprintf("%s (%s)", refused.Message, refused.Code)
	if at, err := strconv.Atoi(refused.Position); err == nil && e.Statement != 0 {
		line, column, around := e.statement.at(at - e.before)
		text += fmt.Sprintf(" at %d:%d, near %q", line, column, around)
	}
	for _, more := range []string{refused.Detail, refused.Hint} {
		if more != "" {
			text += "; " + strings.TrimSuffix(more, ".")
		}
	}
	return text
}

// at returns the line and the column of a character of the statement in the file, and the text that
// begins with this character. The first character has the number 1.
func (s Statement) at(number int) (line, column int, around string) {
	runes := []rune(s.Text)
	before := string(runes[:max(0, min(number-1, len(runes)))])
	line, column = s.Line, s.Column+len([]rune(before))
	if i := strings.LastIndexByte(before, '\n'); i >= 0 {
		line, column = s.Line+strings.Count(before, "\n"), 1+len([]rune(before[i+1:]))
	}
	return line, column, truncate(s.Text[len(before):], 30)
}

// truncate returns text as one line. It cuts the line off after limit characters.
func truncate(text string, limit int) string {
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return string(runes)
}
