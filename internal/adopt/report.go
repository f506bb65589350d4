package adopt

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"forge/internal/database"
)

// report says what was written, what was left out, and what to do next.
func (p *Plan) report(out io.Writer, o Options, readers string) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "%d tables of %s are entities now:\n", len(p.Entities), database.Redact(o.Address))
	for _, e := range p.Entities {
		fmt.Fprintf(table, "  %s\t%s\t%s\n", e.Table.Path(), e.Name, e.about())
	}
	for _, j := range p.Joins {
		fmt.Fprintf(table, "  %s\t\tan edge in both directions\n", j.Table.Path())
	}
	if err := table.Flush(); err != nil {
		return err
	}
	p.list(out, "Left out:", true)
	p.list(out, "To know:", false)
	who := "Administrators alone read and write them"
	switch readers {
	case "rule.Everyone":
		who = "EVERYBODY reads all rows of them, and administrators write"
	case "rule.SignedIn":
		who = "Whoever has signed in reads all rows of them, and administrators write"
	}
	_, err := fmt.Fprintf(out, `
%s, until you say otherwise in the Policy of
ent/schema/*.go and run go run . scaffold. With AUTH=off, as in development, everybody is an administrator.

The history of migrations has begun anew: migrate/ has a baseline, which counts as applied where its
tables are, and what Forge itself needs. Nothing in the database has changed yet. Next:

  DATABASE_URL='%s' go run . migrate up    makes the tables of Forge's own there
  DATABASE_URL='%[2]s' go run .               serves it
`, who, database.Redact(o.Address))
	return err
}

// about says what of the entity is special.
func (e *Entity) about() string {
	switch {
	case e.Key == nil:
		return "the rows of an edge in both directions: clients read them by it, and do not write them"
	case e.ReadOnly != "":
		return "nobody creates one: " + e.ReadOnly
	}
	return e.Prefix + "_…"
}

func (p *Plan) list(out io.Writer, title string, left bool) {
	for _, n := range p.Notes {
		if n.Left != left {
			continue
		}
		if title != "" {
			fmt.Fprintf(out, "\n%s\n", title)
			title = ""
		}
		fmt.Fprintf(out, "  %s: %s\n", n.Subject, strings.TrimSuffix(n.Text, "."))
	}
}
