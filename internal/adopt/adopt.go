// Package adopt makes an application of the tables of a database that exists. It reads the tables
// with Atlas, and writes ent/schema and the first migrations. It changes nothing in that database.
// Only a command uses it: it is not part of a running server.
package adopt

import (
	"cmp"
	"slices"
	"strings"

	"forge/internal/usage"
)

// MaxTables is how many tables one application is made of at most. Reading and compiling more takes
// longer than anybody waits.
const MaxTables = 300

// Options says what of a database is adopted, and who may read it.
type Options struct {
	Address string   // postgres://… or sqlite:PATH
	Tables  []string // the names of the tables, as NAME or SCHEMA.NAME; all if empty
	Schemas []string // PostgreSQL's schemas; all if empty
	Readers string   // one of Readers; administrators if empty
}

// Readers holds who may read all rows, as an option names them, and the group of package rule.
var Readers = map[string]string{"administrators": "rule.Admins", "signed-in": "rule.SignedIn", "everyone": "rule.Everyone"}

// readers returns the group of package rule that may read.
func (o Options) readers() (string, error) {
	group, ok := Readers[cmp.Or(o.Readers, "administrators")]
	if !ok {
		return "", usage.Errorf("--readers=%q is not known; allowed: administrators, signed-in, everyone", o.Readers)
	}
	return group, nil
}

// wants reports whether a table is to be adopted.
func (o Options) wants(schema, table string) bool {
	if len(o.Schemas) > 0 && !slices.Contains(o.Schemas, schema) {
		return false
	}
	return len(o.Tables) == 0 || slices.Contains(o.Tables, table) || slices.Contains(o.Tables, schema+"."+table)
}

// Note says what of the database the application does not have, or has in another way.
type Note struct {
	Subject string // a table, or a table and a column
	Text    string
	Left    bool // the subject is left out
}

// Plan is what an application of the database consists of.
type Plan struct {
	Dialect  string
	Entities []*Entity // in the order of their names
	Joins    []*Join
	Notes    []Note
}

func (p *Plan) note(subject, text string) {
	p.Notes = append(p.Notes, Note{Subject: subject, Text: text})
}

func (p *Plan) leaveOut(subject, reason string) {
	p.Notes = append(p.Notes, Note{Subject: subject, Text: reason, Left: true})
}

// sortNotes puts what is left out first, each kind by its subject.
func (p *Plan) sortNotes() {
	slices.SortStableFunc(p.Notes, func(a, b Note) int {
		if a.Left != b.Left {
			return map[bool]int{true: -1, false: 1}[a.Left]
		}
		return strings.Compare(a.Subject, b.Subject)
	})
	p.Notes = slices.Compact(p.Notes)
}
