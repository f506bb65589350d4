package api_test

import (
	"database/sql"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	entgo "entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/entsql"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/ent"
	"forge/ent/migrate"
	"forge/ent/schema"
	"forge/graph/generated"
	"forge/internal/database"
	"forge/internal/entity"
	"forge/internal/password"
	"forge/test/dbtest"
)

// textLength is the largest length of a text in ent/schema.
type textLength struct {
	check  string // the name of the CHECK constraint
	table  string
	most   string // characters
	entity *entity.Entity
	field  string // in the API
}

// textLengths returns the lengths for which ent/schema has CHECK constraints.
func textLengths() (all []textLength) {
	condition := regexp.MustCompile(`^length\((\w+)\) BETWEEN \d+ AND (\d+)$`)
	for _, table := range migrate.Tables {
		if table.Annotation == nil {
			continue
		}
		for name, check := range table.Annotation.Checks {
			m := condition.FindStringSubmatch(check)
			if m == nil {
				continue
			}
			e := ent.Entities[slices.IndexFunc(ent.Entities, func(e *entity.Entity) bool { return e.Table == table.Name })]
			f := slices.IndexFunc(e.Fields, func(f entity.Field) bool { return f.Column == m[1] })
			all = append(all, textLength{name, table.Name, m[2], e, e.Fields[f].Name})
		}
	}
	return all
}

// TestLengthsAreGenerated compares the CHECK constraints of ent/schema, including those for
// lengths, with those in the generated code.
func TestLengthsAreGenerated(t *testing.T) {
	t.Parallel()
	written := map[string]map[string]string{ // by table
		"files": checks(schema.File{}), "heroes": checks(schema.Hero{}), "products": checks(schema.Product{}),
		"teams": checks(schema.Team{}), "users": checks(schema.User{}),
	}
	for _, l := range textLengths() {
		if written[l.table] == nil {
			t.Errorf("%s has lengths: name its schema in this test", l.table)
		}
	}
	for _, table := range migrate.Tables {
		for name, want := range written[table.Name] {
			if got := table.Annotation.Checks[name]; got != want {
				t.Errorf("%s is %q in the generated code, and %q in ent/schema: run go generate ./...", name, got, want)
			}
		}
	}
}

// checks returns the CHECK constraints that ent/schema has for an entity.
func checks(e entgo.Interface) map[string]string {
	all := map[string]string{}
	for _, a := range e.Annotations() {
		if a, ok := a.(*entsql.Annotation); ok {
			maps.Copy(all, a.Checks)
		}
	}
	return all
}

// TestLengthsInDescriptions compares the lengths in ent/schema with those that descriptions in
// schema.graphqls name.
func TestLengthsInDescriptions(t *testing.T) {
	t.Parallel()
	promise := regexp.MustCompile(`(\d+) characters`)
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	compared := 0
	for _, l := range textLengths() {
		for _, def := range schema.Types {
			f := def.Fields.ForName(l.field)
			if f == nil || f.Type.Name() != "String" || !holds(def, l.entity) {
				continue
			}
			promised := promise.FindStringSubmatch(f.Description)
			if promised == nil {
				if strings.HasPrefix(def.Name, "Create") {
					t.Errorf("schema.graphqls does not say how long %s.%s may be: %s characters, says ent/schema", def.Name, f.Name, l.most)
				}
				continue
			}
			compared++
			if promised[1] != l.most {
				t.Errorf("%s.%s has at most %s characters by its description in schema.graphqls, and %s in ent/schema: "+
					"correct it, and run go generate ./...", def.Name, f.Name, promised[1], l.most)
			}
		}
	}
	if compared < 12 {
		t.Errorf("%d descriptions promise a length; there are more", compared)
	}
}

// TestLengthsOfPasswords compares the lengths in package password with those in the descriptions.
func TestLengthsOfPasswords(t *testing.T) {
	t.Parallel()
	want := fmt.Sprintf("%d to %d characters", password.Least, password.Most)
	for _, def := range generated.NewExecutableSchema(generated.Config{}).Schema().Types {
		for _, f := range def.Fields {
			if strings.Contains(f.Description, "commonest passwords") && !strings.HasPrefix(f.Description, want) {
				t.Errorf("%s.%s: %s; a password has %s", def.Name, f.Name, f.Description, want)
			}
		}
	}
}

// holds reports whether a type has fields of an entity: it shows the entity, or is an input for it.
func holds(def *ast.Definition, e *entity.Entity) bool {
	if def.Kind != ast.InputObject {
		return def.Name == e.Name
	}
	if def.Name == "SignUpInput" {
		return e.Name == "User"
	}
	return slices.Contains([]string{"Create" + e.Name + "Input", "Update" + e.Name + "Input"}, def.Name)
}

// TestLengthsInDatabase compares the lengths in ent/schema with the CHECK constraints that the
// migrations have made.
func TestLengthsInDatabase(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		db, err := database.Open(url, database.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		for _, l := range textLengths() {
			if got := mostInDatabase(t, db, l); got != l.most {
				t.Errorf("%s lets a text have %s characters, and ent/schema %s: a migration is missing (forge migrate diff)", l.check, got, l.most)
			}
		}
	})
}

// mostInDatabase returns how many characters a CHECK constraint of the database allows.
func mostInDatabase(t *testing.T, db *database.DB, l textLength) string {
	t.Helper()
	query, args := "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = $1", []any{l.check}
	bound := regexp.MustCompile(`<= (\d+)`)
	if db.Dialect == dialect.SQLite {
		query, args = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", []any{l.table}
		bound = regexp.MustCompile(regexp.QuoteMeta(l.check) + "`? CHECK \\(length\\(\\w+\\) BETWEEN \\d+ AND (\\d+)\\)")
	}
	var found sql.NullString
	if err := db.QueryRowContext(t.Context(), query, args...).Scan(&found); err != nil {
		t.Fatal(err)
	}
	m := bound.FindStringSubmatch(found.String)
	if m == nil {
		return "any number of"
	}
	return m[1]
}

// TestLengthsOfInput stores texts of the largest length that ent/schema allows. A text with one
// more character is refused.
func TestLengthsOfInput(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, storesLengths)
}

func storesLengths(t *testing.T, url string) {
	a := newAPI(t, url)
	checked := 0
	for _, l := range textLengths() {
		most, err := strconv.Atoi(l.most)
		if err != nil {
			t.Fatal(err)
		}
		if l.entity.Files {
			continue // see TestFilesMany
		}
		if l.field == "email" { // its length depends on its parts, see TestEmailSpellings
			continue
		}
		checked++
		in := map[string]vars{
			"User": {"username": "x"}, "Team": {"name": l.check}, "Hero": {"name": "x"}, "Product": {"sku": l.check, "name": "x", "priceCents": 1},
		}[l.entity.Name]
		if in == nil {
			t.Errorf("say in this test what create%s needs beside %s", l.entity.Name, l.field)
			continue
		}
		field := "create" + l.entity.Name
		for n, code := range map[int]string{most: "", most + 1: "BAD_USER_INPUT"} {
			in[l.field] = strings.Repeat("é", n)
			got := a.Do("mutation($in: Create"+l.entity.Name+"Input!) { m: "+field+"(input: $in) { __typename } }", vars{"in": in})
			if got.Code() != code {
				t.Errorf("%s with %d characters of %s: %s, want %q", field, n, l.field, got, code)
			}
		}
	}
	if checked < 7 {
		t.Errorf("%d lengths were tried; there are more", checked)
	}
}
