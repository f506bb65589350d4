package graph_test

import (
	"strings"
	"testing"
	"time"

	"forge/internal/dbtest"
)

// TestManyRelationsArePlanned sends conditions over related rows of which PostgreSQL would compare very
// many orders of joins. Planning takes its time whatever there is in the tables.
func TestManyRelationsArePlanned(t *testing.T) {
	a := newAPI(t, dbtest.Postgres(t))
	for name, query := range map[string]string{
		"at the root": `{ heroes(where: {and: [` + strings.Repeat(`{hasTeam: true} `, 20) + `]}) { nodes { id } } }`,
		"below a row": `{ user(id: "user_01h455vb4pex5vsknk084sn02q") { heroes(where: {and: [` +
			strings.Repeat(`{hasTeamWith: {nameGT: "a"}} `, 20) + `]}) { nodes { id } } } }`,
		"inside": `{ teams(where: {hasHeroesWith: {and: [` + strings.Repeat(`{hasTeam: true} {hasOwner: true} `, 9) + `]}}) { nodes { id } } }`,
	} {
		least := time.Hour
		for range 3 {
			start := time.Now()
			a.mustDo(query, nil)
			least = min(least, time.Since(start))
		}
		if least > 500*time.Millisecond {
			t.Errorf("%s: %v", name, least)
		}
		t.Logf("%s: %v", name, least)
	}
}
