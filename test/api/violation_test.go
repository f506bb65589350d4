package api_test

import (
	"context"
	"strings"
	"testing"

	"entgo.io/ent/dialect"
	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"forge/internal/ids"
	"forge/internal/unit"
	"forge/internal/viewer"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// run runs the statements for the kind of the database.
func (a *api) run(statements map[string][]string) {
	a.t.Helper()
	for _, statement := range statements[a.db.Dialect] {
		if _, err := a.db.ExecContext(a.t.Context(), statement); err != nil {
			a.t.Fatalf("%s: %v", statement, err)
		}
	}
}

// says checks the code and the field of an error, and that its message has the words. The answer
// must reveal nothing of the database.
func says(t *testing.T, got gqltest.Answer, code, field, words string) {
	t.Helper()
	if len(got.Errors) != 1 || got.Code() != code || !strings.Contains(got.Errors[0].Message, words) {
		t.Errorf("%s\nwant %s and %q", got, code, words)
		return
	}
	if is, _ := got.Extension("field").(string); is != field {
		t.Errorf("%s\nwant the field %q", got, field)
	}
	for _, inside := range []string{"constraint", "secret_name", "_key", "SQL", "pq:", "badges"} {
		if strings.Contains(got.Body, inside) {
			t.Errorf("%s\ntells %q", got, inside)
		}
	}
}

// TestViolations adds rules to the database that the schema does not know, and violates them
// through the API.
func TestViolations(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		made := a.make()
		a.run(map[string][]string{
			dialect.Postgres: {
				`CREATE UNIQUE INDEX ON teams (headquarters)`,
				`CREATE UNIQUE INDEX ON heroes (name, age)`,
				`ALTER TABLE heroes ADD CHECK (name <> 'Nobody')`,
				`ALTER TABLE heroes ALTER COLUMN age TYPE smallint`,
				`ALTER TABLE heroes ALTER COLUMN secret_name TYPE varchar(12)`,
				`CREATE TABLE badges (hero uuid REFERENCES heroes (id))`,
				`ALTER TABLE teams ADD COLUMN captain uuid REFERENCES heroes (id) ON DELETE RESTRICT`,
			},
			dialect.SQLite: {
				`CREATE UNIQUE INDEX one_hq ON teams (headquarters)`,
				`CREATE UNIQUE INDEX one_pair ON heroes (name, age)`,
				`CREATE TRIGGER nobody BEFORE INSERT ON heroes WHEN NEW.name = 'Nobody' BEGIN SELECT RAISE(ABORT, 'secret_name'); END`,
				`CREATE TABLE badges (hero blob REFERENCES heroes (id))`,
				`ALTER TABLE teams ADD COLUMN captain blob REFERENCES heroes (id) ON DELETE RESTRICT`,
			},
		})
		const createTeam = `mutation($i: CreateTeamInput!) { createTeam(input: $i) { team { id } } }`
		const createHero = `mutation($i: CreateHeroInput!) { createHero(input: $i) { hero { id } } }`
		a.Must(createTeam, vars{"i": vars{"name": "A", "headquarters": "Hull"}})
		says(t, a.Do(createTeam, vars{"i": vars{"name": "B", "headquarters": "Hull"}}), "CONFLICT", "input.headquarters", "this headquarters is taken")
		says(t, a.Do(`mutation { updateTeam(id: "`+made.team+`", input: {headquarters: "Hull"}) { team { id } } }`, nil), "CONFLICT", "input.headquarters", "taken")
		a.Must(createHero, vars{"i": vars{"name": "Nobby", "age": 7}})
		says(t, a.Do(createHero, vars{"i": vars{"name": "Nobby", "age": 7}}), "CONFLICT", "input.name", "taken")
		says(t, a.Do(`mutation { createHeroes(input: [{name: "X"}, {name: "Nobby", age: 7}], onError: ABORT) { heroes { id } } }`, nil), "CONFLICT", "input.1.name", "taken")
		says(t, a.Do(createHero, vars{"i": vars{"name": "Nobody"}}), "BAD_USER_INPUT", "input", "not one of those that are allowed")
		if a.db.Dialect == dialect.Postgres {
			says(t, a.Do(createHero, vars{"i": vars{"name": "Big", "age": 70000}}), "BAD_USER_INPUT", "input", "out of the range")
			says(t, a.Do(createHero, vars{"i": vars{"name": "Long", "secretName": "longer than it"}}), "BAD_USER_INPUT", "input", "longer than the database allows")
			a.run(map[string][]string{dialect.Postgres: {`UPDATE heroes SET age = 1 WHERE age IS NULL`, `ALTER TABLE heroes ALTER COLUMN age SET NOT NULL`}})
			says(t, a.Do(createHero, vars{"i": vars{"name": "Ageless"}}), "BAD_USER_INPUT", "input.age", "age is missing")
			says(t, a.Do(createHero, vars{"i": vars{"name": "Ageless", "age": nil}}), "BAD_USER_INPUT", "input.age", "age is missing")
		}
		key, err := ids.Parse(made.hero)
		if err != nil {
			t.Fatal(err)
		}
		remove := `mutation { deleteHero(id: "` + made.hero + `") { deletedId } }`
		place := map[string]string{dialect.Postgres: "$1", dialect.SQLite: "?"}[a.db.Dialect]
		exec := func(statement string) {
			t.Helper()
			u := unit.New(a.db, unit.Write)
			defer u.Rollback()
			if _, err := u.Exec(t.Context(), strings.ReplaceAll(statement, "?", place), key.UUID); err != nil {
				t.Fatal(err)
			}
			if err := u.Commit(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		exec(`INSERT INTO badges VALUES (?)`)
		says(t, a.Do(remove, nil), "CONFLICT", "id", made.hero+" cannot be removed while something else refers to it")
		exec(`DELETE FROM badges WHERE hero = ?`)
		exec(`UPDATE teams SET captain = ?`)
		says(t, a.Do(remove, nil), "CONFLICT", "id", made.hero+" cannot be removed while a row of the type Team refers to it")
		exec(`UPDATE teams SET captain = NULL WHERE captain = ?`)
		a.Must(remove, nil)
	})
}

// TestViolationMissingReference has a statement fail because of a key that an argument names, deep
// inside an input.
func TestViolationMissingReference(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		made := a.make()
		a.run(map[string][]string{
			dialect.Postgres: {`CREATE TABLE badges (hero uuid REFERENCES heroes (id))`},
			dialect.SQLite:   {`CREATE TABLE badges (hero blob REFERENCES heroes (id))`},
		})
		gone := ids.ID{Prefix: "hero", UUID: uuid.Must(uuid.NewV7())}
		insert := map[string]string{dialect.Postgres: `INSERT INTO badges VALUES ($1)`, dialect.SQLite: `INSERT INTO badges VALUES (?)`}[a.db.Dialect]
		a.around(func(ctx context.Context, next graphql.Resolver) (any, error) {
			if graphql.GetFieldContext(ctx).Field.Name == "createOrder" {
				_, err := unit.FromContext(ctx).Exec(ctx, insert, gone.UUID)
				return nil, err
			}
			return next(ctx)
		})
		const query = `mutation($i: CreateOrderInput!) { createOrder(input: $i) { order { id } } }`
		items := func(second string) vars {
			return vars{"i": vars{"userId": made.user, "items": []any{
				vars{"productId": made.product, "quantity": 1}, vars{"productId": second, "quantity": 1}}}}
		}
		got := a.Do(query, items(gone.String()))
		says(t, got, "NOT_FOUND", "input.items.1.productId", "there is no "+gone.String())
		if got.Extension("id") != gone.String() {
			t.Errorf("%s\nwant the id %s", got, gone)
		}
		says(t, a.Do(query, items(made.product)), "CONFLICT", "input", "refers to is not there any more")
	})
}

// TestViolationDeferred violates rules that the database checks at the commit.
func TestViolationDeferred(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		a.run(map[string][]string{
			dialect.Postgres: {`ALTER TABLE teams ADD UNIQUE (headquarters) DEFERRABLE INITIALLY DEFERRED`},
			dialect.SQLite: {`CREATE TABLE badges (team blob REFERENCES teams (id) DEFERRABLE INITIALLY DEFERRED)`,
				`CREATE TRIGGER late AFTER INSERT ON teams WHEN NEW.name = 'B' BEGIN INSERT INTO badges VALUES (x'00'); END`},
		})
		got := a.Do(`mutation { a: createTeam(input: {name: "A", headquarters: "Hull"}) { team { id } } b: createTeam(input: {name: "B", headquarters: "Hull"}) { team { id } } }`, nil)
		says(t, got, "CONFLICT", "", "")
		a.whole(0)
	})
}

// TestViolationNUL sends U+0000 wherever a text goes to the database. PostgreSQL cannot store it.
func TestViolationNUL(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		for query, field := range map[string]string{
			`mutation($x: String!) { createTeam(input: {name: $x}) { team { id } } }`:                                          "input.name",
			`mutation($x: String!) { createHero(input: {name: "a", secretName: $x}) { hero { id } } }`:                         "input.secretName",
			`mutation($x: String!) { createProduct(input: {sku: $x, name: "a", priceCents: 1, stock: 1}) { product { id } } }`: "input.sku",
			`mutation($x: String!) { createUser(input: {username: "a", email: $x}) { user { id } } }`:                          "input.email",
			`mutation($x: String!) { createUser(input: {username: $x}) { user { id } } }`:                                      "input.username",
		} {
			says(t, a.Do(query, vars{"x": "a\x00b"}), "BAD_USER_INPUT", field, "control character")
		}
		for _, query := range []string{
			`query($x: String!) { heroes(where: {name: $x}) { totalCount } }`,
			`query($x: String!) { users(where: {email: $x}) { totalCount } }`,
			`query($x: String!) { teams(where: {or: [{name: $x}, {hasHeroesWith: {name: $x}}]}) { nodes { id } } }`,
		} {
			if got := a.Do(query, vars{"x": "a\x00b"}); got.Code() != "BAD_USER_INPUT" || !strings.Contains(got.Errors[0].Message, "zero character") {
				t.Errorf("%s: %s", query, got)
			}
		}
	})
}

// TestViolationStranger has a user whom only a provider knows do something that needs the user's
// row. The error says why it is not possible.
func TestViolationStranger(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		product := d.rule(`mutation { createProduct(input: {sku: "A", name: "A", priceCents: 1, stock: 9}) { product { id } } }`, nil).Text("createProduct.product.id")
		v := viewer.Viewer{ID: uuid.New(), Role: viewer.User, Stranger: true}
		me := ids.ID{Prefix: "user", UUID: v.ID}.String()
		for _, mutation := range []string{
			`createHero(input: {name: "A"}) { hero { id } }`,
			`createHero(input: {name: "A", ownerId: "` + me + `"}) { hero { id } }`,
			`createHeroes(input: [{name: "A"}], onError: ABORT) { heroes { id } }`,
			`createOrder(input: {userId: "` + me + `", items: [{productId: "` + product + `", quantity: 1}]}) { order { id } }`,
			`changePassword(input: {oldPassword: "correct horse", newPassword: "another horse"}) { user { id } }`,
		} {
			got := d.as(v).Do("mutation { "+mutation+" }", nil)
			if got.Code() != "FORBIDDEN" || len(got.Errors) != 1 || !strings.Contains(got.Errors[0].Message, "provider") {
				t.Errorf("%s: %s", mutation, got)
			}
		}
		for _, mutation := range []string{`updateUser(id: "` + me + `", input: {username: "x"}) { user { id } }`, `deleteUser(id: "` + me + `") { deletedId }`} {
			if got := d.as(v).Do("mutation { "+mutation+" }", nil); got.Code() != "NOT_FOUND" {
				t.Errorf("%s: %s", mutation, got)
			}
		}
		got := d.as(v).Do(`{ viewer { id } heroes { totalCount } }`, nil)
		if len(got.Errors) > 0 || got.At("viewer") != nil {
			t.Errorf("viewer: %s", got)
		}
		v.Role = viewer.Admin
		if got := d.as(v).Do(`mutation { createHero(input: {name: "A"}) { hero { owner { id } } } }`, nil); len(got.Errors) > 0 {
			t.Errorf("an administrator: %s", got)
		}
	})
}
