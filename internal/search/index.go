package search

import (
	"fmt"
	"slices"
	"strings"

	"entgo.io/ent/dialect"

	"forge/internal/entity"
	"forge/internal/migrator/catalog"
)

// MaxColumns is how many columns of an entity can be searched.
const MaxColumns = 4

// longestText is how many characters of a column are searched. PostgreSQL stores at most a megabyte
// of words for each row.
const longestText = 60_000

// Index is what keeps the words of an entity's rows: on PostgreSQL a GIN index, and on SQLite an
// FTS5 table. Triggers keep that table as the rows are, whoever writes them.
type Index struct {
	table, key string
	columns    []string
	// number is how SQLite's column with the number of a key is named beside the entity's columns.
	// It names the table only where it has to, as other indexes would be built anew otherwise.
	number string
}

// Of returns the index of an entity. It returns nil if the entity declares no columns to search.
func Of(e *entity.Entity) *Index {
	if len(e.Search) == 0 || e.Fields[0].Refers != e.Name {
		return nil // nothing to search, or a key of several columns, which package binding refuses
	}
	x := &Index{table: e.Table, key: e.Fields[0].Column, number: "number"}
	if slices.ContainsFunc(e.Fields, func(f entity.Field) bool { return strings.EqualFold(f.Column, x.number) }) {
		x.number = "NAME_keys.number"
	}
	for _, name := range e.Search {
		if f := e.Field(name); f != nil {
			x.columns = append(x.columns, f.Column)
		}
	}
	return x
}

// Objects returns what keeps the words of entities in a database, in the order in which it can be
// created.
func Objects(entities []*entity.Entity) func(name string) []catalog.Object {
	return func(name string) (all []catalog.Object) {
		for _, e := range entities {
			x := Of(e)
			switch {
			case x == nil:
			case name == dialect.SQLite:
				all = append(all, x.sqlite())
			default:
				if all == nil {
					all = append(all, wordsFunction())
				}
				all = append(all, x.postgres())
			}
		}
		return all
	}
}

// named returns an object of the index.
func (x *Index) named(text string, parts ...string) catalog.Object {
	return catalog.NewObject("search", x.table, text, parts...)
}

// text returns the text of a row that is searched, as SQL. named returns how a column is named.
func (x *Index) text(named func(column string) string) string {
	var texts []string
	for _, c := range x.columns {
		texts = append(texts, searched(named(c)))
	}
	return strings.Join(texts, " || ' ' || ")
}

// of returns how a column is named that belongs to a row: "new", for example.
func of(row string) func(string) string {
	return func(column string) string { return row + "." + catalog.Quote(column) }
}

// searched returns the text of a column that is searched. It is never NULL.
func searched(column string) string {
	return fmt.Sprintf("coalesce(substr(%s, 1, %d), '')", column, longestText)
}

// postgres returns the GIN index. Words go into it at once, as the list in which PostgreSQL would
// gather them first is read by every search, and by the writer who has to empty it.
func (x *Index) postgres() catalog.Object {
	return x.named(fmt.Sprintf("CREATE INDEX NAME ON %s USING gin (%s(%s)) WITH (fastupdate = off)", catalog.Quote(x.table), wordsFunction().Name, x.text(catalog.Quote)), "")
}

// Argument stands in SQL for an argument. No name has this character.
const Argument = "\x00"

// Condition returns the condition that a row has all words of a search, as SQL. named returns how a
// column of the row is named. In the text, Argument stands for Query of the words.
//
// The rows are found once for the whole statement, by the index. Otherwise PostgreSQL would often
// read the table in the order of the page, and split the text of each row into words.
func (x *Index) Condition(name string, named func(column string) string) string {
	if name == dialect.SQLite {
		words := x.sqlite().Name
		return strings.ReplaceAll(named(x.key)+" IN (SELECT key FROM NAME CROSS JOIN NAME_keys ON number = NAME.rowid WHERE NAME MATCH "+Argument+")", "NAME", words)
	}
	return fmt.Sprintf("%s = ANY(ARRAY(SELECT %s FROM %s WHERE %s(%s) @@ %s::tsquery))", named(x.key), catalog.Quote(x.key), catalog.Quote(x.table),
		wordsFunction().Name, x.text(catalog.Quote), Argument)
}

// Relevance returns Relevance of a row, as SQL. In the text, Argument stands for List of the words.
func (x *Index) Relevance(name string, named func(column string) string) string {
	var texts []string
	for _, c := range x.columns {
		texts = append(texts, searched(named(c)))
	}
	if name == dialect.SQLite {
		return RelevanceFunction + "(" + Argument + ", " + strings.Join(texts, ", ") + ")"
	}
	for i, text := range texts {
		texts[i] = fmt.Sprintf("(SELECT count(*) FROM unnest(tsvector_to_array(%s(%s))) AS word WHERE word = ANY(%s::text[]))", wordsFunction().Name, text, Argument)
		if i > 0 {
			texts[i] = texts[i-1] + fmt.Sprintf(" * %d + ", weight) + texts[i]
		}
		if i > 0 && i < len(texts)-1 {
			texts[i] = "(" + texts[i] + ")"
		}
	}
	return "(" + texts[len(texts)-1] + ")"
}

// Merge returns a statement of SQLite that merges about as many pages of the index, and so removes
// the words in them of rows that are gone. A negative number begins to merge the whole index.
func (x *Index) Merge(pages int) string {
	return fmt.Sprintf("INSERT INTO %s (%[1]s, rank) VALUES ('merge', %d)", x.sqlite().Name, pages)
}

// sqlite returns the FTS5 table with the words, and a table with the number that each row's key has
// there. The row's own rowid would not do: VACUUM changes it, and so does a migration that copies
// the table.
//
// A row may go without its trigger: REPLACE does not call that. Its words stay, but lead to no row,
// and are removed if a row with its key comes again.
func (x *Index) sqlite() catalog.Object {
	store := func(keys string) string {
		return fmt.Sprintf("  DELETE FROM NAME WHERE rowid IN (SELECT number FROM NAME_keys WHERE key IN (%s));\n"+
			"  DELETE FROM NAME_keys WHERE key IN (%[1]s);\n", keys)
	}
	key := catalog.Quote(x.key)
	insert := fmt.Sprintf("  INSERT INTO NAME_keys (key) VALUES (new.%s);\n"+
		"  INSERT INTO NAME (rowid, words) SELECT number, %s FROM NAME_keys WHERE key = new.%[1]s;\n", key, x.text(of("new")))
	columns := key
	for _, c := range x.columns {
		columns += ", " + catalog.Quote(c)
	}
	table := catalog.Quote(x.table)
	return x.named(strings.Join([]string{
		"CREATE TABLE NAME_keys (number INTEGER PRIMARY KEY, key NOT NULL UNIQUE)",
		`CREATE VIRTUAL TABLE NAME USING fts5(words, detail=none, columnsize=0, tokenize="unicode61 remove_diacritics 2 categories 'L* N* M* Co'")`,
		fmt.Sprintf("INSERT INTO NAME_keys (key) SELECT %s FROM %s", key, table),
		fmt.Sprintf("INSERT INTO NAME (rowid, words) SELECT %s, %s FROM NAME_keys JOIN %s AS t ON t.%s = NAME_keys.key", x.number, x.text(of("t")), table, key),
		fmt.Sprintf("CREATE TRIGGER NAME_insert AFTER INSERT ON %s BEGIN\n%s%sEND", table, store("new."+key), insert),
		fmt.Sprintf("CREATE TRIGGER NAME_update AFTER UPDATE OF %s ON %s BEGIN\n%s%sEND", columns, table, store("old."+key+", new."+key), insert),
		fmt.Sprintf("CREATE TRIGGER NAME_delete AFTER DELETE ON %s BEGIN\n%sEND", table, store("old."+key)),
	}, "\n\n"), "_keys", "", "_insert", "_update", "_delete")
}
