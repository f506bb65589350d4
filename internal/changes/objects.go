package changes

import (
	"fmt"
	"strings"

	"entgo.io/ent/dialect"

	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/migrator/catalog"
	"forge/internal/rule"
)

// mostRows is how many changed rows of one statement the log names. PostgreSQL logs more as one
// change, Many.
const mostRows = 10_000

// Objects returns what keeps the log of entities in a database, in the order in which it can be
// created: the log itself, and the triggers of each table. It returns none if no entity is logged.
// Check says what it leaves out.
func Objects(entities []*entity.Entity) func(name string) []catalog.Object {
	return func(name string) (all []catalog.Object) {
		for _, e := range entities {
			for _, t := range triggersOf(e, entities) {
				if all == nil {
					all = append(all, log(name))
				}
				all = append(all, t.object(name))
			}
		}
		return all
	}
}

// log returns the tables of the log. On PostgreSQL, a change is stored with the ID of its
// transaction, and a tick is a snapshot: all transactions before the ID ended had ended, but for
// those that were running. The first tick is that of the creation; origin is the first tick of the
// server. On SQLite, where only one transaction writes at a time, the numbers of changes are their
// order; the mark of a change tells it from one of the same number in a copy of the database.
func log(name string) catalog.Object {
	if name == dialect.SQLite {
		return catalog.NewObject("changes", "", `CREATE TABLE NAME (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  mark INTEGER NOT NULL DEFAULT (random() & 2147483647),
  at INTEGER NOT NULL DEFAULT (unixepoch()),
  type TEXT NOT NULL,
  op INTEGER NOT NULL,
  key TEXT,
  refs TEXT
)`, "")
	}
	return catalog.NewObject("changes", "", `CREATE TABLE NAME (
  xid bigint NOT NULL,
  seq bigint GENERATED ALWAYS AS IDENTITY,
  type text COLLATE "C" NOT NULL,
  op smallint NOT NULL,
  key text COLLATE "C",
  refs text[] COLLATE "C",
  PRIMARY KEY (xid, seq)
)

CREATE TABLE NAME_ticks (
  id bigint PRIMARY KEY,
  origin bigint NOT NULL,
  ended bigint NOT NULL,
  running bigint[] NOT NULL,
  at timestamptz NOT NULL,
  mark integer NOT NULL
)

INSERT INTO NAME_ticks SELECT 1, 1, `+snapshotColumns("pg_current_snapshot()"), "", "_ticks")
}

// snapshotColumns returns the columns of a tick from ended on.
func snapshotColumns(snapshot string) string {
	return fmt.Sprintf("pg_snapshot_xmax(%[1]s)::text::bigint, ARRAY(SELECT x::text::bigint FROM pg_snapshot_xip(%[1]s) x), clock_timestamp(), (random() * 2147483647)::integer", snapshot)
}

// triggers log the changes of a table, as changes of an entity.
type triggers struct {
	table   string
	logged  *entity.Entity  // whose changes they are
	key     string          // the column with the key of the changed row of logged
	form    ids.Form        // of that key
	own     bool            // the rows of the table are those of logged
	rowKey  string          // the column with the key of a row of the table; "" if it has several
	deleted string          // see entity.Entity.Deleted
	columns []*entity.Field // whose changes count
	refs    []*entity.Field // with the keys of the owner and of related rows
}

// triggersOf returns the triggers of an entity's table: those that log changes of its rows, and
// those that log changes of rows which its rows belong to.
func triggersOf(e *entity.Entity, entities []*entity.Entity) (all []triggers) {
	if e.Logged && hasKey(e) {
		t := triggers{table: e.Table, logged: e, key: e.Fields[0].Column, rowKey: e.Fields[0].Column, form: e.Keys, own: true, deleted: e.Deleted}
		t.columns = counted(e, entities)
		for i := range e.Fields[1:] {
			if f := &e.Fields[1+i]; f.Refers != "" || f.Column == e.Owner || f.Column == rule.OwnerColumn(e) {
				t.refs = append(t.refs, f)
			}
		}
		all = append(all, t)
	}
	for _, name := range e.LoggedFor {
		edge := e.Edge(name)
		if edge == nil || !edge.OwnKey {
			continue
		}
		if to := find(entities, edge.To); to != nil {
			t := triggers{table: e.Table, logged: to, key: edge.Column, form: to.Keys, columns: counted(e, entities)}
			if hasKey(e) {
				t.rowKey = e.Fields[0].Column
			}
			all = append(all, t)
		}
	}
	return all
}

// counted returns the columns whose changes count: those that somebody may see, here or where an edge
// shows them, and those that say who may see the row, and where it is listed.
func counted(e *entity.Entity, entities []*entity.Entity) (columns []*entity.Field) {
	decides := rule.LooksAt(e)
	for i := range e.Fields {
		f := &e.Fields[i]
		if i == 0 || f.Refers != "" || f.Column == e.Owner || f.Column == e.Deleted || decides(f.Column) || rule.Visible(e, f.Name) != entity.ToNobody || shown(f, e, entities) {
			columns = append(columns, f)
		}
	}
	for i := range e.Edges { // foreign keys that are no fields
		if edge := &e.Edges[i]; edge.OwnKey && !hasColumn(columns, edge.Column) {
			columns = append(columns, &entity.Field{Column: edge.Column, Kind: entity.ID, Refers: edge.To})
		}
	}
	return columns
}

// shown reports whether an edge to an entity shows a column of it.
func shown(f *entity.Field, of *entity.Entity, entities []*entity.Entity) bool {
	for _, e := range entities {
		for _, edge := range e.Edges {
			for name, column := range edge.Shows {
				if edge.To == of.Name && column == f.Column && rule.Visible(e, name) != entity.ToNobody {
					return true
				}
			}
		}
	}
	return false
}

func hasColumn(columns []*entity.Field, name string) bool {
	for _, c := range columns {
		if c.Column == name {
			return true
		}
	}
	return false
}

func (t triggers) object(name string) catalog.Object {
	if name == dialect.SQLite {
		return t.sqlite()
	}
	return t.postgres()
}

// named returns an object of the triggers.
func (t triggers) named(text string, parts ...string) catalog.Object {
	return catalog.NewObject("log", t.table, text, parts...)
}

// in returns how a column is named that belongs to a row: "new", for example.
func in(row, column string) string { return row + "." + catalog.Quote(column) }

func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
