package dev_test

import (
	"errors"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"entgo.io/ent/schema/field"

	"forge/internal/migrator/dev"
	"forge/internal/schema"
	"forge/internal/usage"
	"forge/test/dbtest"
)

// The following changes are of the guild. Each leaves the rest of it unchanged.
func renameMotto(g *guild)  { g.hero("motto").Name = "cry" }
func renameHeroes(g *guild) { g.heroes.Name = "champions" }

// Without an answer, or with one that fits nothing, no file is written.
func TestDiffWantsAnswers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		change  func(*guild)
		answers dev.Answers
		want    []string
		not     []string
	}{
		{
			name: "a column", change: renameMotto,
			want: []string{"--rename heroes.motto:cry or --drop heroes.motto"},
		},
		{
			name: "a column and two new ones", change: func(g *guild) {
				renameMotto(g)
				g.heroes.Columns = append(g.heroes.Columns,
					&schema.Column{Name: "city", Type: field.TypeString, Nullable: true},
					&schema.Column{Name: "rank", Type: field.TypeInt32, Nullable: true})
			},
			want: []string{"--rename heroes.motto:cry or --rename heroes.motto:city or --drop heroes.motto"},
			not:  []string{"rank"},
		},
		{
			name: "two columns, one of which is answered for", change: func(g *guild) {
				renameMotto(g)
				g.hero("wins").Name = "victories"
			},
			answers: dev.Answers{Renames: []string{"motto:cry"}},
			want:    []string{"--rename heroes.wins:victories or --drop heroes.wins"},
			not:     []string{"motto"},
		},
		{
			name: "a table", change: renameHeroes,
			want: []string{"--rename heroes:champions or --drop heroes"},
		},
		{
			name: "an answer for another column", change: renameMotto,
			answers: dev.Answers{Renames: []string{"heroes.name:cry"}},
			want:    []string{"--rename heroes.name:cry fits nothing", "--rename heroes.motto:cry, --drop heroes.motto"},
		},
		{
			name: "an answer of another form", change: renameMotto,
			answers: dev.Answers{Renames: []string{"motto"}},
			want:    []string{"--rename motto fits nothing", "OLD:NEW", "--rename heroes.motto:cry"},
		},
		{
			name: "an answer and no question", change: func(g *guild) { g.hero("motto").Nullable = true },
			answers: dev.Answers{Renames: []string{"motto:cry"}},
			want:    []string{"--rename motto:cry fits nothing: no table or column is gone"},
		},
		{
			name: "the drop of what stays", change: renameMotto,
			answers: dev.Answers{Drops: []string{"name"}},
			want:    []string{"--drop name fits nothing", "--drop heroes.motto"},
		},
		{
			name: "another type", change: func(g *guild) {
				renameMotto(g)
				g.hero("cry").Type = field.TypeInt32
			},
			answers: dev.Answers{Renames: []string{"motto:cry"}},
			want:    []string{"--rename motto:cry", "not of one type", "--drop heroes.motto"},
		},
		{
			name: "a name in two tables", change: func(g *guild) {
				column(g.teams, "name").Name = "title"
				g.hero("name").Name = "title"
				delete(g.teams.Annotation.Checks, "teams_name_length")
			},
			answers: dev.Answers{Renames: []string{"name:title"}},
			want:    []string{"--rename name:title may mean", "heroes.name:title", "teams.name:title", "say which"},
		},
		{
			name: "the drop of a name in two tables", change: func(g *guild) {
				column(g.teams, "name").Name = "title"
				g.hero("name").Name = "title"
				delete(g.teams.Annotation.Checks, "teams_name_length")
			},
			answers: dev.Answers{Drops: []string{"name"}},
			want:    []string{"--drop name may mean", "heroes.name", "teams.name", "say which"},
		},
		{
			name: "a rename and a drop", change: renameMotto,
			answers: dev.Answers{Renames: []string{"motto:cry"}, Drops: []string{"motto"}},
			want:    []string{"--rename heroes.motto:cry and --drop heroes.motto go against each other"},
		},
		{
			name: "two new names", change: func(g *guild) {
				renameMotto(g)
				g.heroes.Columns = append(g.heroes.Columns, &schema.Column{Name: "city", Type: field.TypeString, Nullable: true})
			},
			answers: dev.Answers{Renames: []string{"motto:cry", "motto:city"}},
			want:    []string{"--rename motto:city goes against another --rename"},
		},
		{
			name: "nobody there to answer", change: renameMotto,
			answers: dev.Answers{Ask: func(string) (bool, error) { return false, io.EOF }},
			want:    []string{"--rename heroes.motto:cry or --drop heroes.motto"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir, devURL := mustMakeDirs(t), dbtest.EmptyPostgres(t)
			mustDiff(t, dir, "init", devURL, newGuild().tables())
			before := mustReadAll(t, dir)
			g := newGuild()
			tt.change(g)
			_, err := dev.Diff(t.Context(), dir, "change", devURL, g.tables().wanted(), tt.answers)
			if _, ok := errors.AsType[*usage.Error](err); !ok {
				t.Fatalf("Diff: %v, want an error about how it was called", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error %q does not say %q", err, want)
				}
			}
			for _, not := range tt.not {
				if strings.Contains(err.Error(), not) {
					t.Errorf("the error %q says %q", err, not)
				}
			}
			if !maps.Equal(mustReadAll(t, dir), before) {
				t.Error("Diff wrote something")
			}
		})
	}
}

// Each candidate is asked about once, and a no makes it a drop.
func TestDiffAsks(t *testing.T) {
	t.Parallel()
	change := func(g *guild) {
		renameHeroes(g)
		g.hero("motto").Name = "cry"
		g.hero("wins").Name = "victories"
		g.heroes.Columns = append(g.heroes.Columns, &schema.Column{Name: "city", Type: field.TypeString, Nullable: true})
	}
	asked := []string{
		"Has the table heroes become champions, with what is in it?",
		"Has the column champions.motto become cry, with what is in it?",
		"Has the column champions.wins become victories, with what is in it?",
	}
	var questions []string
	dir, planned := mustPlan(t, change, dev.Answers{Ask: func(question string) (bool, error) {
		questions = append(questions, question)
		return !strings.Contains(question, "wins"), nil
	}})
	if !slices.Equal(questions, asked) {
		t.Errorf("Diff asked\n%s\nwant\n%s", strings.Join(questions, "\n"), strings.Join(asked, "\n"))
	}
	for _, path := range planned.Paths {
		text := mustReadAll(t, dir)[path]
		if !strings.HasSuffix(path, ".sql") {
			continue
		}
		for _, want := range []string{"RENAME TO", "RENAME COLUMN", "victories"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s has no %s:\n%s", path, want, text)
			}
		}
		if strings.Contains(text, "`wins` TO") || strings.Contains(text, `"wins" TO`) {
			t.Errorf("%s renames what was not renamed:\n%s", path, text)
		}
	}

	broken := errors.New("the terminal is gone")
	g := newGuild()
	change(g)
	other, devURL := mustMakeDirs(t), dbtest.EmptyPostgres(t)
	mustDiff(t, other, "init", devURL, newGuild().tables())
	ask := func(string) (bool, error) { return false, broken }
	if _, err := dev.Diff(t.Context(), other, "change", devURL, g.tables().wanted(), dev.Answers{Ask: ask}); !errors.Is(err, broken) {
		t.Errorf("Diff: %v, want what went wrong with asking", err)
	}
}

// PostgreSQL renames indexes and constraints. Making them anew would read and lock the table.
func TestDiffRenamesIndexesAndConstraints(t *testing.T) {
	t.Parallel()
	dir, planned := mustPlan(t, func(g *guild) {
		g.heroes.Name, g.hero("nickname").Name = "champions", "handle"
		delete(g.heroes.Annotation.Checks, "heroes_nickname_length")
		g.check("champions_handle_length", "length(handle) BETWEEN 1 AND 100")
		g.heroes.Indexes[0].Name = "champion_handle"
		g.heroes.Indexes[0].Annotation.Where = "handle IS NOT NULL"
		g.heroes.ForeignKeys[0].Symbol = "champions_teams_champions"
	}, dev.Answers{Renames: []string{"heroes:champions", "nickname:handle"}})
	text := mustReadAll(t, dir)[planned.Paths[0]]
	up, _, _ := strings.Cut(text, "-- +goose Down")
	for _, forbidden := range []string{"DROP", "ADD", "CREATE INDEX", "CREATE UNIQUE"} {
		if strings.Contains(up, forbidden) {
			t.Errorf("the up section has %s:\n%s", forbidden, up)
		}
	}
	for _, f := range planned.Hints {
		if f.Rule != "rename-table" && f.Rule != "rename-column" && strings.Contains(f.Path, "postgres") {
			t.Errorf("lint finds more than the renames: %s", f)
		}
	}
}

// Diff and the file say what the down section cannot restore by itself.
func TestDiffSaysWhatNeedsAHand(t *testing.T) {
	t.Parallel()
	_, planned := mustPlan(t, func(g *guild) {
		g.drop(g.heroes, "state")
		delete(g.heroes.Annotation.Checks, "heroes_state_known")
		g.drop(g.heroes, "motto")
	}, dev.Answers{})
	if len(planned.ByHand) != 0 {
		t.Errorf("Diff wants a hand for columns that have a default, or may have an empty one: %v", planned.ByHand)
	}
	dir, planned := mustPlan(t, func(g *guild) {
		g.drop(g.logs, "hero_id")
		g.logs.ForeignKeys, g.logs.Indexes = nil, nil
		g.drop(g.teams, "name")
		delete(g.teams.Annotation.Checks, "teams_name_length")
	}, dev.Answers{})
	for _, want := range []string{"logs.hero_id", "teams.name"} {
		if n := len(slices.DeleteFunc(slices.Clone(planned.ByHand), func(s string) bool { return !strings.Contains(s, want) })); n != len(dirs) {
			t.Errorf("Diff says %d times that %s needs a hand, want %d: %v", n, want, len(dirs), planned.ByHand)
		}
		for _, path := range planned.Paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			_, down, _ := strings.Cut(string(text), "-- +goose Down")
			if strings.HasSuffix(path, ".sql") && !strings.Contains(down, "-- By hand: "+want) {
				t.Errorf("%s does not say it:\n%s", path, text)
			}
		}
	}
	_ = dir
}
