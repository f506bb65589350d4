package migrator_test

import (
	"strings"
	"testing"

	"entgo.io/ent/dialect"
)

// Databases store descriptions, so the format must not change by accident. If this test fails
// because the format was changed on purpose, correct the lines here and raise descriptionFormat:
// otherwise every database would look as if somebody had changed it by hand.
func TestDescriptionFormat(t *testing.T) {
	t.Parallel()
	files := steps(`-- +goose Up
CREATE TABLE parents (id integer PRIMARY KEY, "a b" text DEFAULT 'x');
CREATE TABLE children (
  id integer NOT NULL,
  parent_id integer NULL,
  age integer NOT NULL DEFAULT 18,
  name varchar(9) UNIQUE,
  CONSTRAINT children_pk PRIMARY KEY (id),
  CONSTRAINT children_age CHECK (age >= 0),
  CONSTRAINT children_parent FOREIGN KEY (parent_id) REFERENCES parents (id) ON DELETE SET NULL
);
CREATE INDEX child_age ON children (age DESC, id);
CREATE UNIQUE INDEX child_name ON children (name) WHERE age > 17;
`)
	want := map[string]string{
		dialect.Postgres: `format 1, PostgreSQL N
check children.children_age ((age >= 0))
column children.age integer NOT NULL DEFAULT 18
column children.id integer NOT NULL
column children.name character varying(9) NULL
column children.parent_id integer NULL
column parents."a b" text NULL DEFAULT 'x'::text
column parents.id integer NOT NULL
foreign-key children.children_parent (parent_id) REFERENCES parents(id) ON DELETE SET NULL
index children.child_age (age DESC, id)
index children.child_name UNIQUE (name) WHERE (age > 17)
primary-key children.children_pk (id)
primary-key parents.parents_pkey (id)
table children
table parents
unique children.children_name_key (name)`,
		dialect.SQLite: `format 1, SQLite
check children.children_age (age >= 0)
column children.age integer NOT NULL DEFAULT 18
column children.id integer NOT NULL
column children.name varchar(9) NULL
column children.parent_id integer NULL
column parents."a b" text NULL DEFAULT 'x'
column parents.id integer NULL
foreign-key children.children_parent (parent_id) REFERENCES parents(id) ON DELETE SET NULL
index children.child_age (age DESC, id)
index children.child_name UNIQUE (name) WHERE age > 17
primary-key children.children_pk (id)
primary-key parents."(id)"
table children
table parents
unique children."(name)"`,
	}
	eachEmpty(t, func(t *testing.T, db database) {
		mustUp(t, db, files)
		got := db.texts(t, "SELECT schema FROM goose_db_version WHERE schema IS NOT NULL")[0]
		first, rest, _ := strings.Cut(got, "\n")
		if strings.HasPrefix(first, "format 1, PostgreSQL 1") {
			first = "format 1, PostgreSQL N"
		}
		if got := first + "\n" + rest; got != want[db.Dialect] {
			t.Errorf("what is recorded is\n%s\nwant\n%s", got, want[db.Dialect])
		}
		if err := db.Source(files).Check(t.Context(), db.DB); err != nil {
			t.Error(err)
		}
	})
}
