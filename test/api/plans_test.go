package api_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/ent"
	"forge/graph/generated"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/seed"
	"forge/test/dbtest"
	"forge/test/fixture"
	"forge/test/gqltest"
)

// lists makes operations that use every condition and order that the schema offers for lists.
type lists struct {
	schema   *ast.Schema
	entities map[string]*entity.Entity
}

func newLists() *lists {
	l := &lists{generated.NewExecutableSchema(generated.Config{}).Schema(), map[string]*entity.Entity{}}
	for _, e := range ent.Entities {
		l.entities[e.Name] = e
	}
	return l
}

// offered is an operation for one list. list is the path to the list in the answer.
type offered struct {
	query, list string
	order       []*entity.Field // what it is ordered by, if that is what it tries
}

// operations returns an operation for each condition, by itself and inside of not and or, with
// totalCount, and one for each order. Each is made for the list at the root, and for lists below
// rows.
func (l *lists) operations() (all []offered) {
	for _, f := range l.schema.Query.Fields {
		of, ok := strings.CutSuffix(f.Type.Name(), "Connection")
		if !ok {
			continue
		}
		for _, where := range l.conditions(of) {
			all = append(all, offered{query: fmt.Sprintf(`{ %s(where: %s) { totalCount nodes { id } } }`, f.Name, where)})
		}
		if f.Arguments.ForName("search") != nil {
			all = append(all, offered{query: fmt.Sprintf(`{ %s(search: "name 5", orderBy: {field: RELEVANCE}) { totalCount nodes { id } } }`, f.Name)})
		}
		for text, fields := range l.orders(of) {
			all = append(all, offered{query: fmt.Sprintf(`{ %s(%%s, orderBy: %s) { nodes { id } pageInfo { endCursor } } }`, f.Name, text), list: f.Name, order: fields})
		}
		for _, below := range l.schema.Types[of].Fields {
			to, ok := strings.CutSuffix(below.Type.Name(), "Connection")
			if !ok {
				continue
			}
			var arguments []string
			for _, where := range l.conditions(to) {
				if strings.Contains(where, "has") || strings.Contains(where, "Count") {
					arguments = append(arguments, "where: "+where)
				}
			}
			for text := range l.orders(to) {
				arguments = append(arguments, "orderBy: "+text)
			}
			for _, a := range arguments {
				all = append(all, offered{query: fmt.Sprintf(`{ %s { nodes { %s(%s) { nodes { id } } } } }`, f.Name, below.Name, a)})
			}
		}
	}
	return all
}

// conditions returns where inputs for an entity: one for each field, and those over related rows in
// their other forms as well.
func (l *lists) conditions(name string) (all []string) {
	for _, def := range l.schema.Types[name+"WhereInput"].Fields {
		for i, value := range l.values(name, def) {
			one := "{" + def.Name + ": " + value + "}"
			all = append(all, one)
			own := l.entities[name].Field(operator.ReplaceAllString(def.Name, "")) != nil
			if !own && i < 2 {
				all = append(all, "{not: "+one+"}", "{or: ["+one+", {id: "+l.id(name)+"}]}", "{or: [{not: "+one+"}, {id: "+l.id(name)+"}]}")
			}
		}
	}
	return all
}

// operator matches what follows the name of a column.
var operator = regexp.MustCompile("(NotIn|In|NEQ|GTE?|LTE?|IsNil|NotNil|HasPrefix|HasSuffix|Contains|ContainsFold|EqualFold)$")

// literals are values of the scalars.
var literals = map[string]string{
	"Int": "5", "Float": "5.5", "BigInt": `"5"`, "Decimal": `"5.5"`, "String": `"name-5"`, "Bytes": `"AA=="`, "JSON": "{a: 5}", "JSONPathInput": `{path: ["a"], value: 5}`,
	"Time": `"2026-01-02T03:04:05Z"`, "Date": `"2026-01-02"`, "LocalTime": `"03:04:05"`, "Duration": `"PT5S"`, "UUID": `"01890a5d-ac96-774b-bcce-b302099a8057"`,
}

func (l *lists) values(name string, def *ast.FieldDefinition) []string {
	if value := literals[def.Type.Name()]; value != "" {
		return []string{value}
	}
	switch def.Type.Name() {
	case "Boolean":
		return []string{"true", "false"}
	case "ID":
		return []string{l.id(l.entities[name].Field(operator.ReplaceAllString(def.Name, "")).Refers)}
	}
	if to, ok := strings.CutSuffix(def.Type.Name(), "WhereInput"); ok {
		if to == name && !strings.HasPrefix(def.Name, "has") {
			return nil // and, or, not: see conditions
		}
		var some []string
		for _, inner := range l.schema.Types[to+"WhereInput"].Fields {
			if !strings.HasSuffix(inner.Type.Name(), "WhereInput") {
				some = append(some, "{"+inner.Name+": "+l.values(to, inner)[0]+"}")
			}
		}
		return some
	}
	return []string{l.schema.Types[def.Type.Name()].EnumValues[0].Name}
}

func (l *lists) id(name string) string { return idOfNone(l.entities[name]) }

// idOfNone returns an ID that no row of the entity has, as a literal.
func idOfNone(e *entity.Entity) string {
	id := ids.ID{Prefix: e.Prefix, UUID: uuid.UUID{15: 1}}
	if e.Keys != ids.UUID {
		id.Text = "5"
	}
	return `"` + id.String() + `"`
}

// orders returns orderBy arguments with one and with two terms, and the fields that they order by.
func (l *lists) orders(name string) map[string][]*entity.Field {
	all := map[string][]*entity.Field{}
	def := l.schema.Types[name+"OrderField"]
	if def == nil {
		return all
	}
	values := slices.DeleteFunc(slices.Clone(def.EnumValues), func(value *ast.EnumValueDefinition) bool { return value.Name == "RELEVANCE" })
	field := func(value string) *entity.Field {
		for i := range l.entities[name].Fields {
			if f := &l.entities[name].Fields[i]; strings.EqualFold(f.Name, strings.ReplaceAll(value, "_", "")) {
				return f
			}
		}
		return nil
	}
	for _, a := range values {
		for _, direction := range []string{"ASC", "DESC"} {
			one := fmt.Sprintf("{field: %s, direction: %s}", a.Name, direction)
			all[one] = []*entity.Field{field(a.Name)}
			for _, b := range values {
				if a != b {
					all[fmt.Sprintf("[%s, {field: %s, direction: ASC}]", one, b.Name)] = []*entity.Field{field(a.Name), field(b.Name)}
				}
			}
		}
	}
	return all
}

// TestPlans checks that every condition and order has a plan that takes linear time: related rows
// are found by an index or read once, and a page after a cursor begins at the cursor. On
// PostgreSQL, the statistics say that there are a million rows. With FORGE_SOAK=1 there are a
// million rows, and times are measured.
//
// It is about the statements. TestIndexes names the indexes that an entity lacks.
func TestPlans(t *testing.T) {
	if missing := missingIndexes(t); len(missing) > 0 {
		t.Skip("TestIndexes says which indexes are missing")
	}
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		p := &planner{api: a}
		if os.Getenv("FORGE_SOAK") != "" {
			if err := seed.Run(t.Context(), a.db, 5000); err != nil {
				t.Fatal(err)
			}
			p.mustExec(t, "ANALYZE")
		} else {
			if _, err := fixture.Fill(t.Context(), a.db, 20); err != nil {
				t.Fatal(err)
			}
			p.pretend(t)
		}
		a.db.Watch = func(_ context.Context, statement string, took time.Duration, err error) {
			p.statements = append(p.statements, statement)
			p.slowest(took, err)
		}
		for _, op := range newLists().operations() {
			p.try(t, op)
		}
		if len(p.seen) < 100 {
			t.Errorf("only %d statements were looked at", len(p.seen))
		}
		p.report(t)
	})
}

// planner checks the plans of the statements that operations run.
type planner struct {
	api        *api
	query      string
	statements []string // of the present operation
	seen       map[string]bool
	times      []timed
}

type timed struct {
	took  time.Duration
	query string
	err   error
}

func (p *planner) slowest(took time.Duration, err error) {
	p.times = append(p.times, timed{took, p.query, err})
}

func (p *planner) report(t *testing.T) {
	if os.Getenv("FORGE_SOAK") == "" {
		return
	}
	slices.SortFunc(p.times, func(a, b timed) int { return cmp.Compare(b.took, a.took) })
	for _, s := range p.times[:min(25, len(p.times))] {
		t.Logf("%8.3f s %v %s", s.took.Seconds(), s.err, s.query)
	}
}

func (p *planner) mustExec(t *testing.T, statement string) {
	t.Helper()
	if _, err := p.api.db.ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// pretend makes PostgreSQL plan for a million rows in each table, after it has analyzed a few.
// SQLite assumes a table of that size if it was not analyzed.
func (p *planner) pretend(t *testing.T) {
	if p.api.db.Dialect == dialect.Postgres {
		p.mustExec(t, "ANALYZE")
		for _, e := range ent.Entities {
			p.mustExec(t, fmt.Sprintf("UPDATE pg_class SET reltuples = 1000000, relpages = 1 WHERE oid = '%s'::regclass", e.Table))
		}
	}
}

// try runs an operation and checks its plans. For an order, it also runs it after and before a
// cursor.
func (p *planner) try(t *testing.T, op offered) {
	if op.order == nil {
		p.look(t, op.query, nil)
		return
	}
	cursor := p.look(t, fmt.Sprintf(op.query, "first: 3"), nil).Text(op.list + ".pageInfo.endCursor")
	p.look(t, fmt.Sprintf(op.query, fmt.Sprintf("first: 3, after: %q", cursor)), op.order)
	p.look(t, fmt.Sprintf(op.query, fmt.Sprintf("last: 3, before: %q", cursor)), op.order)
	if op.order[0] != nil && op.order[0].Nullable {
		null := p.look(t, fmt.Sprintf(op.query, "last: 1"), nil).Text(op.list + ".pageInfo.endCursor")
		p.look(t, fmt.Sprintf(op.query, fmt.Sprintf("last: 3, before: %q", null)), op.order)
		p.look(t, fmt.Sprintf(op.query, fmt.Sprintf("first: 3, after: %q", null)), op.order)
	}
}

func (p *planner) look(t *testing.T, query string, order []*entity.Field) gqltest.Answer {
	t.Helper()
	p.query, p.statements = query, nil
	got := p.api.Must(query, nil)
	statements := p.statements
	for _, s := range statements {
		if p.seen[s] {
			continue
		}
		if p.seen == nil {
			p.seen = map[string]bool{}
		}
		p.seen[s] = true
		plan := p.explain(t, s)
		bad := quadratic(plan)
		parts := 1 + strings.Count(s, " UNION ALL SELECT *") // of a page among whose rows are some with NULL
		if order != nil && order[0] != nil && strings.Count(plan, "Index Cond")+strings.Count(plan, "SEARCH") < parts {
			bad = "the page does not begin at its cursor"
		}
		if bad != "" {
			t.Errorf("%s: %s\n%s\n%s", query, bad, s, plan)
		}
	}
	return got
}

var parameterText = regexp.MustCompile(`\$\d+`)

// explain returns the plan of a statement for any arguments.
func (p *planner) explain(t *testing.T, statement string) string {
	t.Helper()
	conn, err := p.api.db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	explain, args := "EXPLAIN QUERY PLAN "+statement, make([]any, strings.Count(statement, "?"))
	if p.api.db.Dialect == dialect.Postgres {
		args = nil
		execute := "EXECUTE looked_at"
		distinct := map[string]bool{}
		for _, name := range parameterText.FindAllString(statement, -1) {
			distinct[name] = true
		}
		if n := len(distinct); n > 0 {
			execute += "(" + strings.Repeat("NULL, ", n-1) + "NULL)"
		}
		for _, s := range []string{"SET plan_cache_mode = force_generic_plan", "PREPARE looked_at AS " + statement} {
			if _, err := conn.ExecContext(t.Context(), s); err != nil {
				t.Fatalf("%s: %v", s, err)
			}
		}
		defer conn.ExecContext(t.Context(), "DEALLOCATE looked_at")
		explain = "EXPLAIN (FORMAT JSON) " + execute
	}
	rows, err := conn.QueryContext(t.Context(), explain, args...)
	if err != nil {
		t.Fatalf("%s: %v", explain, err)
	}
	defer rows.Close()
	var plan strings.Builder
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if p.api.db.Dialect == dialect.Postgres {
			err = rows.Scan(&detail)
		} else {
			err = rows.Scan(&id, &parent, &unused, &detail)
		}
		if err != nil {
			t.Fatal(err)
		}
		plan.WriteString(detail + "\n")
	}
	return plan.String()
}

// quadratic returns the part of a plan that reads a whole table for each row of another. It returns
// "" if there is none.
func quadratic(plan string) string {
	var top []struct{ Plan node }
	if json.Unmarshal([]byte(plan), &top) == nil {
		return top[0].Plan.quadratic(plan)
	}
	correlated := false
	for line := range strings.Lines(plan) {
		correlated = correlated || strings.HasPrefix(line, "CORRELATED")
		if strings.HasPrefix(line, "CORRELATED LIST") || correlated && strings.HasPrefix(line, "SCAN related") {
			return "SQLite reads all related rows for each row: " + line
		}
	}
	return ""
}

// node is a node of a plan of PostgreSQL.
type node struct {
	Type     string `json:"Node Type"`
	Relation string `json:"Parent Relationship"`
	Name     string `json:"Subplan Name"`
	Plans    []node
}

func (n node) quadratic(plan string) string {
	for _, child := range n.Plans {
		hashed := child.Name != "" && strings.Contains(plan, "(hashed "+child.Name+")")
		subPlan := child.Relation == "SubPlan" && !hashed
		inner := n.Type == "Nested Loop" && child.Relation == "Inner"
		if subPlan && child.has("Materialize") || (subPlan || inner) && child.has("Seq Scan") {
			return "PostgreSQL reads all of a table for each row: " + child.Type + " in " + cmp.Or(child.Name, n.Type)
		}
		if bad := child.quadratic(plan); bad != "" {
			return bad
		}
	}
	return ""
}

// has reports whether the node, or one below it, is of the type.
func (n node) has(kind string) bool {
	return n.Type == kind || slices.ContainsFunc(n.Plans, func(child node) bool { return child.has(kind) })
}
