package api_test

import (
	"net/url"
	"strings"
	"testing"

	"forge/test/dbtest"
)

// TestReadUnderOtherPlans has PostgreSQL choose other plans than it would: parallel ones wherever
// they are allowed, or none with nested loops, or none with indexes. The answers must stay the
// same: whatever the plan, rows belong to their parents and stand in their order.
func TestReadUnderOtherPlans(t *testing.T) {
	t.Parallel()
	address := dbtest.Postgres(t)
	w := sized(40)
	plain := newAPI(t, address)
	plain.fill(w)
	want := watch(plain)
	want.vars = someOf(w)
	for name, settings := range map[string]string{
		"parallel":        parallel(t, plain),
		"no nested loops": "-c enable_nestloop=off -c enable_memoize=off",
		"no indexes":      "-c enable_indexscan=off -c enable_mergejoin=off -c enable_hashjoin=off",
	} {
		t.Run(name, func(t *testing.T) {
			got := watch(newAPI(t, address+"&options="+url.QueryEscape(settings)))
			got.vars = want.vars
			for _, op := range operations {
				if strings.HasPrefix(op.query, "mutation") {
					continue
				}
				expected, _ := want.run(op.query)
				if answer, _ := got.run(op.query); answer.RawData() != expected.RawData() || len(answer.Errors) > 0 {
					t.Errorf("%s:\n%s\nwant\n%s", op.query, answer, expected.RawData())
				}
			}
		})
	}
}

// parallel returns the settings with which the server uses parallel plans for small tables as well.
func parallel(t *testing.T, a *api) string {
	t.Helper()
	force := "debug_parallel_query"
	var version int
	if err := a.db.QueryRowContext(t.Context(), "SELECT current_setting('server_version_num')::int").Scan(&version); err != nil {
		t.Fatal(err)
	}
	if version < 160000 {
		force = "force_parallel_mode"
	}
	return "-c parallel_setup_cost=0 -c parallel_tuple_cost=0 -c min_parallel_table_scan_size=0 -c min_parallel_index_scan_size=0 -c " + force + "=on"
}
