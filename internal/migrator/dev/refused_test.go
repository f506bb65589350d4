package dev_test

import (
	"strings"
	"testing"

	"entgo.io/ent/dialect"
	"entgo.io/ent/schema/field"

	"forge/internal/migrator"
	"forge/internal/migrator/dev"
	"forge/internal/schema"
)

// A change that the rows do not allow fails, names the reason, and changes nothing.
func TestChangesThatRowsForbid(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		change   func(*guild)
		between  string // what makes the way back impossible
		on       string // the only dialect that minds
		want     []string
		wantDown []string
	}{
		{
			name:   "a column that has to have a value",
			change: func(g *guild) { g.hero("age").Nullable = false },
			want:   []string{"age", "heroes"},
		},
		{
			name: "a new column that has to have a value",
			change: func(g *guild) {
				g.heroes.Columns = append(g.heroes.Columns, &schema.Column{Name: "city", Type: field.TypeString})
			},
			want: []string{"city", "heroes"},
		},
		{
			name:   "text that is no number",
			change: func(g *guild) { g.hero("motto").Type = field.TypeInt32 },
			on:     dialect.Postgres, // SQLite keeps the text
			want:   []string{"motto", `"On"`},
		},
		{
			name:   "a check",
			change: func(g *guild) { g.check("heroes_age_grown", "age >= 18") },
			want:   []string{"heroes_age_grown"},
		},
		{
			name:   "a value less in a list",
			change: func(g *guild) { g.check("heroes_state_known", "state IN ('IDLE')") },
			want:   []string{"heroes_state_known"},
		},
		{
			name:   "a unique index",
			change: func(g *guild) { g.index(g.heroes, "hero_state_leader", true, "leader_id = 1 OR id = 1", "team_id") },
			want:   []string{"team_id"},
		},
		{
			name: "an edge to nowhere",
			change: func(g *guild) {
				g.hero("wins").Type = field.TypeInt64
				g.refer(g.heroes, "wins", g.teams, "heroes_teams_won", schema.NoAction)
			},
			want: []string{"heroes", "teams"},
		},
		{
			name:     "an empty value, on the way back",
			change:   func(g *guild) { g.hero("motto").Nullable = true },
			between:  "UPDATE heroes SET motto = NULL WHERE id = 2",
			wantDown: []string{"motto"},
		},
		{
			name:     "a value that is new in a list, on the way back",
			change:   func(g *guild) { g.check("heroes_state_known", "state IN ('IDLE', 'BUSY', 'GONE')") },
			between:  "UPDATE heroes SET state = 'GONE' WHERE id = 2",
			wantDown: []string{"heroes_state_known"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir, _ := mustPlan(t, tt.change, dev.Answers{})
			eachEmpty(t, func(t *testing.T, db database) {
				if tt.on != "" && tt.on != db.Dialect {
					t.Skip("this dialect lets it pass")
				}
				mustUp(t, db, db.files(t, dir, 1))
				for _, rows := range guildRows {
					db.MustExec(t, rows)
				}
				files := db.files(t, dir, 2)
				want := tt.want
				run := func() error { return db.Source(files).Up(t.Context(), db.DB, discard) }
				if tt.between != "" {
					want = tt.wantDown
					mustUp(t, db, files)
					db.MustExec(t, tt.between)
					run = func() error { return db.Source(files).Down(t.Context(), db.DB, 1, true, migrator.LockTimeout, discard) }
				}
				before := db.schema(t)
				err := run()
				if err == nil {
					t.Fatal("it was done")
				}
				for _, part := range want {
					if !strings.Contains(err.Error(), part) {
						t.Errorf("the error %q does not name %q", err, part)
					}
				}
				if changes := db.changes(t, before); len(changes) > 0 {
					t.Errorf("it left %d changes", len(changes))
				}
				if got := db.values(t, "SELECT name FROM heroes ORDER BY id"); got != "Ivory Condor Lynx" {
					t.Errorf("it left the heroes %s", got)
				}
			})
		})
	}
}
