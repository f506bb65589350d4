package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"forge/test/dbtest"
)

// large are the rows of a table that is large enough for a wrong plan to show: 60,000 heroes, whose
// names begin with Hero but for the last 300 of them, in the order of the keys. They belong to 200
// teams, or to none, and to 6,000 owners, of whom some are deleted.
const large = `
INSERT INTO teams (id, name, version, created_at, updated_at)
	SELECT forge_test_key(i), 'Team ' || lpad((i * 37 % 200)::text, 3, '0'), 1, now(), now() FROM generate_series(1, 200) i;
INSERT INTO users (id, username, role, is_active, version, created_at, updated_at, deleted_at)
	SELECT forge_test_key(i), 'user' || lpad((i * 7 % 6000)::text, 5, '0'), 'USER', true, 1, now(), now(), CASE WHEN i % 1000 = 0 THEN now() END FROM generate_series(1, 6000) i;
INSERT INTO heroes (id, name, age, version, created_at, updated_at, team_id, owner_id)
	SELECT forge_test_key(i), CASE WHEN i > 59700 THEN 'Zorro ' ELSE 'Hero ' END || lpad(i::text, 5, '0'), i % 90, 1, now(), now(),
		CASE WHEN i % 10 > 0 THEN forge_test_key(1 + i % 200) END, forge_test_key(1 + i % 6000) FROM generate_series(1, 60000) i;
`

// TestPagesOfALargeTable checks that a page reads a small part of its table on PostgreSQL, whether
// the plan is made for the values of the request or for any, and that it has the right rows.
func TestPagesOfALargeTable(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.Postgres(t))
	for _, s := range []string{
		`CREATE FUNCTION forge_test_key(n int) RETURNS uuid IMMUTABLE LANGUAGE sql AS $$ SELECT ('01890a5d-ac96-774b-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$`,
		large, "VACUUM ANALYZE heroes", "VACUUM ANALYZE teams", "VACUUM ANALYZE users",
	} {
		for part := range strings.SplitSeq(strings.TrimSpace(s), ";\n") {
			if _, err := a.db.ExecContext(t.Context(), part); err != nil {
				t.Fatalf("%s: %v", part, err)
			}
		}
	}
	for _, tt := range []struct {
		name, where, order, page string
		args                     []string // of the condition
		list                     string   // the conditions and the order in SQL
		by                       string   // the first term of the order, in SQL
		cursor                   int      // the number of the row that the cursor stands for
		most                     int      // how many rows may be read
	}{
		{name: "a prefix that few have", where: `nameHasPrefix: "Zorro"`, args: []string{"Zorro", "Zorrp"}, page: "first: 20",
			list: "WHERE h.name LIKE 'Zorro%' ORDER BY h.id", most: 1000},
		{name: "a prefix that few have, the last", where: `nameHasPrefix: "Zorro"`, args: []string{"Zorro", "Zorrp"}, page: "last: 20",
			list: "WHERE h.name LIKE 'Zorro%' ORDER BY h.id", most: 1000},
		{name: "a prefix that few have, in another order", where: `nameHasPrefix: "Zorro"`, args: []string{"Zorro", "Zorrp"}, order: "AGE", page: "first: 20",
			list: "WHERE h.name LIKE 'Zorro%' ORDER BY h.age, h.id", most: 1000},
		{name: "a prefix that few have, by a related row", where: `nameHasPrefix: "Zorro"`, args: []string{"Zorro", "Zorrp"}, order: "TEAM_NAME", page: "first: 20",
			list: "WHERE h.name LIKE 'Zorro%' ORDER BY t.name, h.id", most: 2000},
		{name: "a prefix that nobody has", where: `nameHasPrefix: "Zorry"`, args: []string{"Zorry", "Zorrz"}, page: "first: 20",
			list: "WHERE h.name LIKE 'Zorry%' ORDER BY h.id", most: 10},
		{name: "a range that few are in", where: `nameGTE: "Zorro 59990"`, args: []string{"Zorro 59990"}, page: "first: 20",
			list: "WHERE h.name >= 'Zorro 59990' ORDER BY h.id", most: 100},
		{name: "a prefix that many have", where: `nameHasPrefix: "Hero"`, args: []string{"Hero", "Herp"}, page: "first: 20",
			list: "WHERE h.name LIKE 'Hero%' ORDER BY h.id", most: 1100},
		{name: "a range that many are in", where: `nameLT: "Hero 50000"`, args: []string{"Hero 50000"}, order: "AGE", page: "first: 20",
			list: "WHERE h.name < 'Hero 50000' ORDER BY h.age, h.id", most: 1100},
		{name: "by a related row", order: "TEAM_NAME", page: "first: 20", list: "ORDER BY t.name, h.id", most: 1000},
		{name: "by a related row, the last", order: "TEAM_NAME", page: "last: 20", list: "ORDER BY t.name, h.id", most: 1000},
		{name: "by a related row, after a cursor", order: "TEAM_NAME", page: "first: 20, after", list: "ORDER BY t.name, h.id", by: "t.name", cursor: 30_000, most: 1000},
		{name: "by a related row, before a cursor", order: "TEAM_NAME", page: "last: 20, before", list: "ORDER BY t.name, h.id", by: "t.name", cursor: 30_000, most: 2000},
		{name: "by a row that may be hidden", order: "OWNER_USERNAME", page: "first: 20", list: "ORDER BY u.username, h.id", most: 1000},
		{name: "by a row that may be hidden, the last", order: "OWNER_USERNAME", page: "last: 20", list: "ORDER BY u.username, h.id", most: 13_000},
		{name: "by a row that may be hidden, after a cursor", order: "OWNER_USERNAME", page: "first: 20, after", list: "ORDER BY u.username, h.id", by: "u.username", cursor: 30_000, most: 1000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want, args := a.names(t, tt.list), tt.args
			page, end := tt.page, len(want)
			if tt.cursor > 0 {
				page = fmt.Sprintf("%s: %q", page, a.Must(fmt.Sprintf(`{ heroes(first: 1, offset: %d, orderBy: {field: %s}) { pageInfo { endCursor } } }`, tt.cursor, tt.order), nil).Text("heroes.pageInfo.endCursor"))
				args = a.place(t, tt.by, tt.list, tt.cursor)
			}
			switch {
			case strings.HasSuffix(tt.page, "after"):
				want = want[tt.cursor+1 : tt.cursor+21]
			case strings.HasSuffix(tt.page, "before"):
				want = want[tt.cursor-20 : tt.cursor]
			case strings.HasPrefix(tt.page, "last"):
				want = want[end-20:]
			default:
				want = want[:min(20, end)]
			}
			if tt.where != "" {
				page += ", where: {" + tt.where + "}"
			}
			if tt.order != "" {
				page += ", orderBy: {field: " + tt.order + "}"
			}
			var statement string
			a.db.Watch = func(_ context.Context, text string, _ time.Duration, _ error) { statement = text }
			answer := a.Must("{ heroes("+page+") { nodes { name } } }", nil)
			a.db.Watch = nil
			var got struct {
				Heroes struct{ Nodes []struct{ Name string } }
			}
			if err := answer.Decode(&got); err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, n := range got.Heroes.Nodes {
				names = append(names, n.Name)
			}
			if !slices.Equal(names, want) {
				t.Errorf("got %q, want %q", names, want)
			}
			for _, mode := range []string{"force_generic_plan", "force_custom_plan"} {
				if read, plan := a.rowsRead(t, mode, statement, args); read > tt.most {
					t.Errorf("%s: %d rows were read, want at most %d\n%s\n%s", mode, read, tt.most, statement, plan)
				}
			}
		})
	}
	t.Run("a prefix below rows", a.prefixBelow)
	t.Run("owners who are hidden", a.hiddenOwners)
}

// hiddenOwners reads the last pages by owners, of whom few are hidden, and then more than the
// statement looks for one by one.
func (a *api) hiddenOwners(t *testing.T) {
	for _, hide := range []string{"SELECT", "UPDATE users SET deleted_at = now() WHERE username < 'user01500'"} {
		if _, err := a.db.ExecContext(t.Context(), hide); err != nil {
			t.Fatal(err)
		}
		want := a.names(t, "ORDER BY u.username, h.id")
		for end, before := len(want), ""; end > len(want)-200; end -= 40 {
			got := a.Must(`{ heroes(last: 40, orderBy: {field: OWNER_USERNAME}`+before+`) { nodes { name } pageInfo { startCursor } } }`, nil)
			var names []string
			for i := range got.Len("heroes.nodes") {
				names = append(names, got.Text(fmt.Sprintf("heroes.nodes.%d.name", i)))
			}
			if !slices.Equal(names, want[end-40:end]) {
				t.Fatalf("%s: before %d of %d: %q, want %q", hide, end, len(want), names, want[end-40:end])
			}
			before = fmt.Sprintf(", before: %q", got.Text("heroes.pageInfo.startCursor"))
		}
	}
}

// prefixBelow reads lists of heroes whose names have a prefix, of several owners. PostgreSQL knows
// nothing of these heroes yet, and expects that they are few.
func (a *api) prefixBelow(t *testing.T) {
	if _, err := a.db.ExecContext(t.Context(), `INSERT INTO heroes (id, name, version, created_at, updated_at, owner_id)
		SELECT forge_test_key(i), 'Zulu ' || i, 1, now(), now(), forge_test_key(1 + i % 3000) FROM generate_series(100001, 106000) i`); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		prefix string
		want   int // heroes of the first 20 owners
		end    string
		most   int
	}{
		{"Zulu", 40, "Zulv", 2000},
		{"Zulu 1000", 0, "Zulu 1001", 3000}, // of which there are few
		{"Zulu 10", 40, "Zulu 11", 2000},
	} {
		var statement string
		a.db.Watch = func(_ context.Context, text string, _ time.Duration, _ error) { statement = text }
		query := fmt.Sprintf(`{ users(first: 20) { nodes { heroes(where: {nameHasPrefix: %q}, first: 5) { totalCount nodes { name } } } } }`, tt.prefix)
		answer := a.Must(query, nil)
		a.db.Watch = nil
		if n := strings.Count(answer.RawData(), `"name"`); n != tt.want {
			t.Errorf("%s: %d heroes, want %d", query, n, tt.want)
		}
		for _, mode := range []string{"force_generic_plan", "force_custom_plan"} {
			if read, plan := a.rowsRead(t, mode, statement, []string{tt.prefix, tt.end}); read > tt.most {
				t.Errorf("%s, %s: %d rows were read, want at most %d\n%s\n%s", query, mode, read, tt.most, statement, plan)
			}
		}
	}
}

// TestPageOfAValueThatFewHave is about a column with few different values, one of which is rare.
func TestPageOfAValueThatFewHave(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.Postgres(t))
	for _, s := range []string{`INSERT INTO orders (id, status, total_cents, version, created_at, updated_at)
		SELECT gen_random_uuid(), CASE WHEN i > 20000 THEN 'CANCELLED' WHEN i % 2 = 0 THEN 'PENDING' ELSE 'PAID' END, 100, 1, now() + i * interval '1 second', now() FROM generate_series(1, 20005) i`,
		"VACUUM ANALYZE orders"} {
		if _, err := a.db.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	for order, most := range map[string]int{"CREATED_AT": 100, "UPDATED_AT": 100, "TOTAL_CENTS": 100} {
		var statement string
		a.db.Watch = func(_ context.Context, text string, _ time.Duration, _ error) { statement = text }
		query := fmt.Sprintf("{ orders(where: {status: CANCELLED}, orderBy: {field: %s}, first: 20) { nodes { id status } } }", order)
		if n := a.Must(query, nil).Len("orders.nodes"); n != 5 {
			t.Errorf("%s: %d rows, want 5", query, n)
		}
		a.db.Watch = nil
		if read, plan := a.rowsRead(t, "force_generic_plan", statement, []string{"CANCELLED"}); read > most {
			t.Errorf("%s: %d rows were read, want at most %d\n%s\n%s", query, read, most, statement, plan)
		}
	}
}

// joinedHeroes are heroes with what they are ordered by.
const joinedHeroes = " FROM heroes h LEFT JOIN teams t ON t.id = h.team_id LEFT JOIN users u ON u.id = h.owner_id AND u.deleted_at IS NULL "

// names returns the names of heroes, in their order.
func (a *api) names(t *testing.T, list string) (names []string) {
	t.Helper()
	var text string
	if err := a.db.QueryRowContext(t.Context(), "SELECT coalesce(string_agg(name, '|' ORDER BY n), '') FROM (SELECT h.name, row_number() OVER () AS n FROM (SELECT h.name"+joinedHeroes+list+") h) h").Scan(&text); err != nil {
		t.Fatal(err)
	}
	if text == "" {
		return nil
	}
	return strings.Split(text, "|")
}

// place returns the arguments of a cursor that stands for a row: the value that rows are ordered
// by, for the bound and for the tuple, and the key.
func (a *api) place(t *testing.T, by, list string, row int) []string {
	t.Helper()
	var value, key string
	if err := a.db.QueryRowContext(t.Context(), fmt.Sprintf("SELECT %s, h.id::text%s%s OFFSET %d LIMIT 1", by, joinedHeroes, list, row)).Scan(&value, &key); err != nil {
		t.Fatal(err)
	}
	return []string{value, value, key}
}

// rowsRead runs a statement whose parameters have the arguments in turn. It returns how many rows
// of tables and indexes were read, and the plan.
func (a *api) rowsRead(t *testing.T, mode, statement string, args []string) (read int, plan string) {
	t.Helper()
	conn, err := a.db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	n := 0
	for _, name := range parameterText.FindAllString(statement, -1) {
		number, _ := strconv.Atoi(name[1:])
		n = max(n, number)
	}
	execute := "EXECUTE looked_at"
	if n > 0 {
		list := make([]string, n)
		for i := range list {
			list[i] = "'" + args[i%len(args)] + "'"
		}
		execute += "(" + strings.Join(list, ", ") + ")"
	}
	for _, s := range []string{"SET plan_cache_mode = " + mode, "PREPARE looked_at AS " + statement} {
		if _, err := conn.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	defer conn.ExecContext(t.Context(), "DEALLOCATE looked_at")
	if err := conn.QueryRowContext(t.Context(), "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) "+execute).Scan(&plan); err != nil {
		t.Fatalf("%s: %v", execute, err)
	}
	var top []struct{ Plan scan }
	if err := json.Unmarshal([]byte(plan), &top); err != nil {
		t.Fatal(err)
	}
	return top[0].Plan.rows(), plan
}

// scan is a node of a plan that was run.
type scan struct {
	Relation string  `json:"Relation Name"`
	Index    string  `json:"Index Name"`
	Rows     float64 `json:"Actual Rows"`
	Removed  float64 `json:"Rows Removed by Filter"`
	Loops    float64 `json:"Actual Loops"`
	Plans    []scan
}

// rows returns how many rows the node and those below it read of tables and indexes.
func (s *scan) rows() (n int) {
	if s.Relation != "" || s.Index != "" {
		n = int((s.Rows + s.Removed) * s.Loops)
	}
	for i := range s.Plans {
		n += s.Plans[i].rows()
	}
	return n
}
