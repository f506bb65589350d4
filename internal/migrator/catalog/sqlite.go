package catalog

import (
	"context"
	"regexp"
	"slices"
	"strings"
)

// describeSQLite parses the SQL that SQLite stores for each table. The texts themselves cannot be
// compared: SQLite stores them as they were written, and a table that was copied and renamed is
// written in another way than before. SQLite's pragmas would need no parsing, but they do not show
// checks and the names of constraints.
func describeSQLite(ctx context.Context, db Querier) (lines []string, err error) {
	rows, err := db.QueryContext(ctx, "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL"+
		" AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND tbl_name <> '"+VersionTable+"'")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var kind, name, table, sql string
		if err := rows.Scan(&kind, &name, &table, &sql); err != nil {
			return nil, err
		}
		switch tokens := tokensOf(sql); kind {
		case "table":
			lines = append(lines, tableLines(table, tokens)...)
		case "index":
			lines = append(lines, lineAbout(kind, table, name, indexDefinition(tokens)))
		case "trigger":
			lines = append(lines, lineAbout(kind, table, name, plain(after(tokens[2:], name))))
		default:
			lines = append(lines, lineAbout(kind, table, "", plain(after(tokens[2:], name))))
		}
	}
	return lines, rows.Err()
}

// lineAbout returns a line of a description.
func lineAbout(kind, table, name, rest string) string {
	text := kind + " " + shown(table)
	if name != "" {
		text += "." + shown(name)
	}
	return OneLine(strings.TrimSpace(text + " " + strings.TrimSpace(rest)))
}

var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_$]*$`)

// shown returns a name, with quotes if it needs them.
func shown(name string) string {
	if plainName.MatchString(name) {
		return name
	}
	return Quote(name)
}

// after returns the tokens that follow the first token with a text.
func after(tokens []token, text string) []token {
	i := slices.IndexFunc(tokens, func(t token) bool { return strings.EqualFold(t.text, text) })
	return tokens[i+1:]
}

// indexDefinition returns the columns of an index, and its condition. tokens are a CREATE INDEX.
func indexDefinition(tokens []token) string {
	on := slices.IndexFunc(tokens, func(t token) bool { return t.is("ON") })
	columns, rest := inner(tokens[on+2:])
	text := "(" + plain(columns) + ")"
	if len(rest) > 1 {
		text += " WHERE " + plain(bare(rest[1:]))
	}
	if tokens[1].is("UNIQUE") {
		return "UNIQUE " + text
	}
	return text
}

// tableLines returns the lines for a table. tokens are its CREATE TABLE.
func tableLines(table string, tokens []token) []string {
	open := slices.IndexFunc(tokens, func(t token) bool { return t.is("(") })
	if open < 0 || !tokens[1].is("TABLE") { // a virtual table: a module defines the rest
		return []string{lineAbout("table", table, "", plain(after(tokens[2:], table)))}
	}
	items, options := inner(tokens[open:])
	lines := []string{lineAbout("table", table, "", strings.ToUpper(plain(options)))}
	for _, item := range separated(items) {
		d := &definition{table: table, tokens: item}
		d.read()
		lines = append(lines, d.lines...)
	}
	return lines
}

// A definition parses one entry of CREATE TABLE: a column or a table constraint.
type definition struct {
	table  string
	tokens []token // the tokens that have not been read
	name   string  // the name of the following constraint, if it has one
	lines  []string
}

// next returns the next token, but does not read it.
func (d *definition) next() token {
	if len(d.tokens) == 0 {
		return token{}
	}
	return d.tokens[0]
}

// take reads the next token if it is one of the words. It reports whether it did.
func (d *definition) take(words ...string) bool {
	if !d.next().is(words...) {
		return false
	}
	d.tokens = d.tokens[1:]
	return true
}

// any reads the next token, whatever it is.
func (d *definition) any() token {
	t := d.next()
	d.tokens = d.tokens[min(1, len(d.tokens)):]
	return t
}

// group reads an opening parenthesis and all tokens up to its closing one. It returns the tokens
// between the two.
func (d *definition) group() (in []token) {
	in, d.tokens = inner(d.tokens)
	return in
}

// add adds the line of a constraint. In a line without a constraint's name, about comes in its
// place: the columns or the condition.
func (d *definition) add(kind, about, more string) {
	if d.name == "" {
		d.lines = append(d.lines, lineAbout(kind, d.table, about, more))
	} else {
		d.lines = append(d.lines, lineAbout(kind, d.table, d.name, about+more))
	}
	d.name = ""
}

// read parses the entry, and adds its lines.
func (d *definition) read() {
	d.constraintName()
	if d.constraint("") {
		return
	}
	column := d.any().text
	var words []token
	for len(d.tokens) > 0 && !d.next().is("CONSTRAINT", "PRIMARY", "NOT", "NULL", "UNIQUE", "CHECK", "DEFAULT", "COLLATE", "REFERENCES", "GENERATED", "AS") {
		words = append(words, d.any())
	}
	text := strings.ToLower(plain(words))
	null, collation, value, rest := " NULL", "", "", ""
	for len(d.tokens) > 0 {
		d.name = ""
		d.constraintName()
		switch {
		case d.constraint(column):
		case d.take("NOT"):
			d.take("NULL")
			null = " NOT NULL" + d.conflict()
		case d.take("NULL"):
		case d.take("DEFAULT"):
			value = " DEFAULT " + d.value()
		case d.take("COLLATE"):
			collation = " COLLATE " + strings.ToUpper(d.any().text)
		case d.take("GENERATED", "ALWAYS"):
		case d.take("AS"):
			rest += " GENERATED ALWAYS AS (" + plain(bare(d.group())) + ")"
			if d.take("STORED") {
				rest += " STORED"
			}
			d.take("VIRTUAL") // the default
		default: // words that this parser does not know
			rest += " " + d.any().text
		}
	}
	d.lines = append(d.lines, lineAbout("column", d.table, column, text+collation+null+value+rest))
}

// constraintName reads the name of the following constraint, if it has one.
func (d *definition) constraintName() {
	if d.take("CONSTRAINT") {
		d.name = d.any().text
	}
}

// constraint reads a constraint. column is the column to which the constraint belongs, or "" for a
// table constraint. Both kinds result in the same line. constraint returns false if no constraint
// begins here.
func (d *definition) constraint(column string) bool {
	columns := func() string {
		if column == "" {
			return "(" + plain(d.group()) + ")"
		}
		return "(" + column + ")"
	}
	switch {
	case d.take("PRIMARY"):
		d.take("KEY")
		key := columns()
		if d.take("DESC") {
			key = "(" + column + " DESC)"
		}
		d.take("ASC")
		rest := d.conflict()
		if d.take("AUTOINCREMENT") {
			rest += " AUTOINCREMENT"
		}
		d.add("primary-key", key, rest)
	case d.take("UNIQUE"):
		key := columns()
		d.add("unique", key, d.conflict())
	case d.take("CHECK"):
		d.add("check", "("+plain(bare(d.group()))+")", d.conflict())
	case d.take("FOREIGN"):
		d.take("KEY")
		key := columns()
		d.take("REFERENCES")
		d.reference(key)
	case d.take("REFERENCES"):
		d.reference(columns())
	default:
		return false
	}
	return true
}

// conflict reads an ON CONFLICT clause, if there is one.
func (d *definition) conflict() string {
	if !d.take("ON") {
		return ""
	}
	d.take("CONFLICT")
	return " ON CONFLICT " + strings.ToUpper(d.any().text)
}

// value reads the value of a DEFAULT.
func (d *definition) value() string {
	if d.next().is("(") {
		return plain(bare(d.group()))
	}
	sign := ""
	if d.next().is("-", "+") {
		sign = strings.TrimPrefix(d.any().text, "+")
	}
	return sign + plain([]token{d.any()})
}

// reference reads the tokens after REFERENCES. It leaves out NO ACTION, which is the default.
func (d *definition) reference(key string) {
	rest := " REFERENCES " + shown(d.any().text)
	if d.next().is("(") {
		rest += "(" + plain(d.group()) + ")"
	}
	actions := map[string]string{}
	for {
		switch {
		case d.take("ON"):
			event := strings.ToUpper(d.any().text)
			actions[event] = strings.ToUpper(d.any().text)
			if action := actions[event]; action == "SET" || action == "NO" {
				actions[event] += " " + strings.ToUpper(d.any().text)
			}
			continue
		case d.take("MATCH"):
			d.any() // SQLite ignores it
			continue
		}
		break
	}
	for _, event := range []string{"UPDATE", "DELETE"} {
		if action := actions[event]; action != "" && action != "NO ACTION" {
			rest += " ON " + event + " " + action
		}
	}
	if d.next().is("DEFERRABLE") || d.next().is("NOT") && len(d.tokens) > 1 && d.tokens[1].is("DEFERRABLE") {
		not := d.take("NOT")
		d.take("DEFERRABLE")
		if d.take("INITIALLY") && d.take("DEFERRED") && !not {
			rest += " DEFERRABLE INITIALLY DEFERRED"
		}
		d.take("IMMEDIATE")
	}
	d.add("foreign-key", key, rest)
}
