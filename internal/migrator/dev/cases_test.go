package dev_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"entgo.io/ent/dialect"
	"entgo.io/ent/schema/field"

	"forge/internal/migrator"
	"forge/internal/migrator/dev"
	"forge/internal/schema"
)

// Queries for rows that every change keeps, under the names before and after it.
const (
	keptTeams  = "SELECT name FROM %s ORDER BY 1"
	keptLeader = "SELECT count(*) FROM %s h JOIN %[1]s l ON h.leader_id = l.id"
)

// Each change goes up, down and up again on both databases, with rows in the tables, and keeps as
// much as it can.
func TestChangesKeepRows(t *testing.T) {
	t.Parallel()
	type look map[string]string // what queries select
	tests := []struct {
		name          string
		change        func(*guild)
		answers       dev.Answers
		between       []string // statements that run when the change is in place
		refused       []string // statements that fail then
		teams, heroes string   // their new names, if they have some
		up, down      look
	}{
		{
			name: "a new column with a check and an index",
			change: func(g *guild) {
				g.heroes.Columns = append(g.heroes.Columns, &schema.Column{Name: "city", Type: field.TypeString, Nullable: true})
				g.check("heroes_city_length", "length(city) > 0")
				g.index(g.heroes, "hero_city", false, "", "city")
			},
			up: look{"SELECT city FROM heroes ORDER BY id": "<nil> <nil> <nil>"},
		},
		{
			name: "decimal numbers in a range, which SQLite stores as texts",
			change: func(g *guild) {
				for _, name := range []string{"price", "length"} {
					g.heroes.Columns = append(g.heroes.Columns, &schema.Column{Name: name, Type: field.TypeOther, Nullable: true,
						SchemaType: map[string]string{dialect.Postgres: "numeric(10,2)", dialect.SQLite: "text"}})
				}
				g.check("heroes_price_range", "price BETWEEN 5 AND 100 AND name <> 'price'")
				g.check("heroes_length_range", `"length" <= 1000 AND length(name) > 0`)
			},
			between: []string{
				"UPDATE heroes SET price = '6', length = '20.00' WHERE id = 1", "UPDATE heroes SET price = '20.00', length = '-3' WHERE id = 2",
				"UPDATE heroes SET price = '100.00' WHERE id = 3",
			},
			refused: []string{"UPDATE heroes SET price = '5000'", "UPDATE heroes SET price = '100.01'", "UPDATE heroes SET price = '-6'", "UPDATE heroes SET length = '1000.5'"},
			up:      look{"SELECT price FROM heroes ORDER BY id": "<nil> <nil> <nil>"},
		},
		{
			name: "a new column with a default",
			change: func(g *guild) {
				g.heroes.Columns = append(g.heroes.Columns, &schema.Column{Name: "rank", Type: field.TypeInt32, Default: 7})
			},
			up: look{"SELECT rank FROM heroes ORDER BY id": "7 7 7"},
		},
		{
			name:   "a dropped column",
			change: func(g *guild) { g.drop(g.heroes, "age") },
			down:   look{"SELECT age FROM heroes ORDER BY id": "<nil> <nil> <nil>"},
		},
		{
			name: "dropped columns that may not be empty",
			change: func(g *guild) {
				g.drop(g.heroes, "motto")
				g.drop(g.heroes, "wins")
			},
			down: look{"SELECT motto || '.' FROM heroes ORDER BY id": ". . .", "SELECT wins FROM heroes ORDER BY id": "0 0 0"},
		},
		{
			name: "a renamed column with a check, a partial index, and their names",
			change: func(g *guild) {
				g.hero("nickname").Name = "handle"
				delete(g.heroes.Annotation.Checks, "heroes_nickname_length")
				g.check("heroes_handle_length", "length(handle) BETWEEN 1 AND 100")
				g.heroes.Indexes[0].Name = "hero_handle"
				g.heroes.Indexes[0].Annotation.Where = "handle IS NOT NULL"
			},
			answers: dev.Answers{Renames: []string{"heroes.nickname:handle"}},
			up:      look{"SELECT handle FROM heroes ORDER BY id": "Iv <nil> <nil>"},
			down:    look{"SELECT nickname FROM heroes ORDER BY id": "Iv <nil> <nil>"},
		},
		{
			name: "a renamed column that refers",
			change: func(g *guild) {
				g.hero("team_id").Name = "squad_id"
				g.heroes.Indexes[1].Name = "hero_squad_id_id"
			},
			answers: dev.Answers{Renames: []string{"team_id:squad_id"}},
			up:      look{"SELECT squad_id FROM heroes ORDER BY id": "1 1 <nil>"},
			down:    look{"SELECT team_id FROM heroes ORDER BY id": "1 1 <nil>"},
		},
		{
			name:    "a renamed column that is referred to",
			change:  func(g *guild) { g.teams.Columns[0].Name = "number" },
			answers: dev.Answers{Renames: []string{"teams.id:number"}},
			up:      look{"SELECT number FROM heroes h JOIN teams ON number = team_id ORDER BY h.id": "1 1"},
		},
		{
			name: "a renamed column whose new name is a keyword",
			change: func(g *guild) {
				g.hero("motto").Name = "order"
			},
			answers: dev.Answers{Renames: []string{"motto:order"}},
			up:      look{`SELECT "order" FROM heroes ORDER BY id`: "On Off Up"},
			down:    look{"SELECT motto FROM heroes ORDER BY id": "On Off Up"},
		},
		{
			name:   "renamed tables, one of which refers to itself, and columns in them",
			teams:  "squads",
			heroes: "champions",
			change: func(g *guild) {
				g.teams.Name, g.heroes.Name = "squads", "champions"
				g.heroes.Annotation.Checks = map[string]string{
					"champions_nickname_length": "length(nickname) BETWEEN 1 AND 100",
					"champions_status_known":    "status IN ('IDLE', 'BUSY')",
				}
				g.hero("state").Name = "status"
				g.hero("motto").Name = "cry"
				g.heroes.Indexes[0].Name = "champion_nickname"
				g.heroes.ForeignKeys[0].Symbol = "champions_squads_champions"
				g.heroes.ForeignKeys[1].Symbol = "champions_champions_followers"
				column(g.logs, "hero_id").Name = "champion_id"
			},
			answers: dev.Answers{Renames: []string{"heroes:champions", "teams:squads", "heroes.state:status", "champions.motto:cry", "logs.hero_id:champion_id"}},
			up: look{
				"SELECT status FROM champions ORDER BY id":                                              "IDLE BUSY IDLE",
				"SELECT cry FROM champions ORDER BY id":                                                 "On Off Up",
				"SELECT c.name FROM champions c JOIN squads s ON s.id = team_id ORDER BY c.id":          "Ivory Condor",
				"SELECT c.name FROM logs l JOIN champions c ON c.id = l.champion_id ORDER BY l.id":      "Ivory Ivory Lynx",
				"SELECT h.name FROM champions h JOIN champions l ON l.id = h.leader_id ORDER BY h.name": "Condor Lynx",
			},
			down: look{"SELECT motto FROM heroes ORDER BY id": "On Off Up"},
		},
		{
			name: "a renamed column in a table that changes otherwise",
			change: func(g *guild) {
				g.hero("motto").Name = "cry"
				g.drop(g.heroes, "age")
				g.check("heroes_cry_length", "length(cry) < 100")
			},
			answers: dev.Answers{Renames: []string{"motto:cry"}},
			up:      look{"SELECT cry FROM heroes ORDER BY id": "On Off Up"},
			down:    look{"SELECT motto FROM heroes ORDER BY id": "On Off Up"},
		},
		{
			name:    "a column that was not renamed",
			change:  func(g *guild) { g.hero("nickname").Name = "city"; g.dropNicknameParts() },
			answers: dev.Answers{Drops: []string{"heroes.nickname"}},
			up:      look{"SELECT city FROM heroes ORDER BY id": "<nil> <nil> <nil>"},
			down:    look{"SELECT nickname FROM heroes ORDER BY id": "<nil> <nil> <nil>"},
		},
		{
			name: "a column that has to have a value, with a default",
			change: func(g *guild) {
				g.hero("age").Nullable, g.hero("age").Default = false, 18
			},
			up:   look{"SELECT age FROM heroes ORDER BY id": "40 18 2"},
			down: look{"SELECT age FROM heroes ORDER BY id": "40 18 2"},
		},
		{
			name:   "a column that may be empty",
			change: func(g *guild) { g.hero("motto").Nullable = true },
		},
		{
			name:    "a column with a default that may be empty",
			change:  func(g *guild) { g.hero("state").Nullable = true },
			between: []string{"UPDATE heroes SET state = NULL WHERE id = 2"},
			down:    look{"SELECT state FROM heroes ORDER BY id": "IDLE IDLE IDLE"},
		},
		{
			name:   "a wider number",
			change: func(g *guild) { g.hero("age").Type = field.TypeInt64 },
			up:     look{"SELECT age FROM heroes ORDER BY id": "40 <nil> 2"},
			down:   look{"SELECT age FROM heroes ORDER BY id": "40 <nil> 2"},
		},
		{
			name:   "a number instead of text",
			change: func(g *guild) { g.hero("power").Type = field.TypeInt32 },
			up:     look{"SELECT power + 1 FROM heroes ORDER BY id": "8 13 <nil>"},
			down:   look{"SELECT power || '!' FROM heroes ORDER BY id": "7! 12! <nil>"},
		},
		{
			name: "text instead of a number, with a default",
			change: func(g *guild) {
				g.hero("wins").Type, g.hero("wins").Default = field.TypeString, "none"
			},
			up: look{"SELECT wins || '!' FROM heroes ORDER BY id": "3! 0! 9!"},
		},
		{
			name: "a column of another type and name, which is a new one",
			change: func(g *guild) {
				g.drop(g.heroes, "power")
				g.heroes.Columns = append(g.heroes.Columns, &schema.Column{Name: "force", Type: field.TypeBool, Nullable: true})
			},
			up: look{"SELECT force FROM heroes ORDER BY id": "<nil> <nil> <nil>"},
		},
		{
			name:   "a new check",
			change: func(g *guild) { g.check("heroes_age_not_negative", "age >= 0") },
		},
		{
			name:   "a value more in a list",
			change: func(g *guild) { g.check("heroes_state_known", "state IN ('IDLE', 'BUSY', 'GONE')") },
		},
		{
			name:   "a list of values that are not allowed",
			change: func(g *guild) { g.check("heroes_state_known", "state NOT IN ('GONE', 'LOST')") },
		},
		{
			name:   "a unique index over some rows",
			change: func(g *guild) { g.index(g.heroes, "hero_name_idle", true, "state = 'IDLE'", "name") },
		},
		{
			name:   "another default",
			change: func(g *guild) { g.hero("state").Default = "BUSY" },
			up:     look{"SELECT state FROM heroes ORDER BY id": "IDLE BUSY IDLE"},
		},
		{
			name:   "text in another order",
			change: func(g *guild) { g.hero("nickname").Collation = "POSIX" },
		},
		{
			name: "a new edge",
			change: func(g *guild) {
				g.heroes.Columns = append(g.heroes.Columns, &schema.Column{Name: "rival_id", Type: field.TypeInt64, Nullable: true})
				g.refer(g.heroes, "rival_id", g.heroes, "heroes_heroes_rivals", schema.SetNull)
				g.index(g.heroes, "hero_rival_id", false, "", "rival_id")
			},
			between: []string{"UPDATE heroes SET rival_id = 1 WHERE id = 3"},
		},
		{
			name: "an edge where there was a number",
			change: func(g *guild) {
				g.hero("age").Type = field.TypeInt64
				g.heroes.Columns = append(g.heroes.Columns, &schema.Column{Name: "old_team_id", Type: field.TypeInt64, Nullable: true})
				g.refer(g.heroes, "old_team_id", g.teams, "heroes_teams_old", schema.Cascade)
			},
		},
		{
			name: "a table less",
			change: func(g *guild) {
				g.heroes.ForeignKeys = g.heroes.ForeignKeys[1:]
				g.heroes.Indexes = g.heroes.Indexes[:1]
				g.drop(g.heroes, "team_id")
				g.teams = &schema.Table{Name: "places", Columns: []*schema.Column{{Name: "id", Type: field.TypeInt64}}}
				g.teams.PrimaryKey = g.teams.Columns
			},
			teams: "-",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir, planned := mustPlan(t, tt.change, tt.answers)
			if len(planned.ByHand) > 0 {
				t.Errorf("the plan needs a hand: %s", planned.ByHand)
			}
			mustAcknowledge(t, planned.Hints)
			for name, d := range dirs {
				for _, v := range mustVerifyFiles(t, name, filepath.Join(dir, d)) {
					if v.Faults != nil {
						t.Errorf("verify: %s", v)
					}
				}
			}
			eachEmpty(t, func(t *testing.T, db database) {
				mustUp(t, db, db.files(t, dir, 1))
				for _, rows := range guildRows {
					db.MustExec(t, rows)
				}
				before := db.schema(t)
				kept := func(when, teams, heroes string, want look) {
					t.Helper()
					all := maps.Clone(want)
					if all == nil {
						all = look{}
					}
					if teams != "-" {
						all[fmt.Sprintf(keptTeams, teams)] = "Dawn Dusk"
					}
					all[fmt.Sprintf("SELECT name FROM %s ORDER BY id", heroes)] = "Ivory Condor Lynx"
					all[fmt.Sprintf(keptLeader, heroes)] = "2"
					all["SELECT count(*) FROM logs"] = "3"
					for query, want := range all {
						if got := db.values(t, query); got != want && want != "" {
							t.Errorf("%s %s: %q, want %q", when, query, got, want)
						}
					}
				}
				orElse := func(name, other string) string {
					if name == "" {
						return other
					}
					return name
				}
				files := db.files(t, dir, 2)
				for _, round := range []string{"first", "second"} {
					mustUp(t, db, files)
					if round == "first" {
						kept("after up", orElse(tt.teams, "teams"), orElse(tt.heroes, "heroes"), tt.up)
						for _, statement := range tt.between {
							db.MustExec(t, statement)
						}
						for _, statement := range tt.refused {
							if _, err := db.ExecContext(t.Context(), statement); err == nil {
								t.Errorf("%s: it was done", statement)
							}
						}
					}
					if err := db.Source(files).Down(t.Context(), db.DB, 1, true, migrator.LockTimeout, discard); err != nil {
						t.Fatalf("down, the %s time: %v", round, err)
					}
					if tt.teams == "-" {
						kept("after down", "-", "heroes", tt.down)
					} else {
						kept("after down", "teams", "heroes", tt.down)
					}
					for _, change := range db.changes(t, before) {
						t.Errorf("down left a difference: %T %+v", change, change)
					}
				}
			})
		})
	}
}

// mustAcknowledge writes acknowledgements of the findings into the files.
func mustAcknowledge(t *testing.T, findings []dev.Finding) {
	t.Helper()
	for _, f := range findings {
		text, err := os.ReadFile(f.Path)
		if err == nil {
			text = fmt.Appendf(text, "-- lint:allow %s %s as the test wants it\n", f.Rule, f.Subject)
			err = os.WriteFile(f.Path, text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func (g *guild) dropNicknameParts() {
	delete(g.heroes.Annotation.Checks, "heroes_nickname_length")
	g.heroes.Indexes = g.heroes.Indexes[1:]
}
