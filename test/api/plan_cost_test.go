package api_test

import (
	"strings"
	"testing"

	"forge/internal/viewer"
	"forge/test/dbtest"
)

// TestPlanCost asks for what PostgreSQL expects to cost more than is allowed. SQLite estimates
// nothing, and refuses nothing.
func TestPlanCost(t *testing.T) {
	const searches = `{ teams(where: {hasHeroesWith: [{name: "Aegis"}]}, orderBy: [{field: HEROES_COUNT}]) { nodes { id } } }`
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newBareAPI(t, url)
		a.db.Options.MaxPlanCost = 1
		a.configure(usual())
		answer := a.rule(searches, nil)
		if strings.HasPrefix(url, "postgres") {
			if answer.Code() != "QUERY_TOO_COMPLEX" || answer.Errors[0].Extensions["limit"] != 1.0 || answer.Errors[0].Extensions["actual"] != nil {
				t.Errorf("refused: %s", answer)
			}
		} else if len(answer.Errors) > 0 {
			t.Error(answer.Errors)
		}
		if answer := a.rule(`{ teams(first: 5) { nodes { id heroes(first: 2) { nodes { name } } } } }`, nil); len(answer.Errors) > 0 {
			t.Errorf("a page: %v", answer.Errors)
		}
		a.db.Options.MaxPlanCost = 1_000_000
		answer = a.rule(searches, nil)
		if sql, _ := answer.Extensions["sql"].(map[string]any); len(answer.Errors) > 0 || sql["statements"] != 1.0 {
			t.Errorf("a query that costs little: %v, %v", answer.Errors, answer.Extensions)
		}
	})
}

// TestPlanCostOfLive asks again and again for what PostgreSQL expects to cost more than is allowed.
func TestPlanCostOfLive(t *testing.T) {
	a := newStreams(t, dbtest.Postgres(t))
	a.db.Options.MaxPlanCost = 1
	got, err := a.subscribe(viewer.System, `subscription { live { teams(orderBy: [{field: HEROES_COUNT}]) { nodes { id } } } }`, nil, "").next()
	if err != nil || got.Code() != "QUERY_TOO_COMPLEX" || got.Errors[0].Extensions["actual"] != nil {
		t.Errorf("got %s, %v", got.Body, err)
	}
}
