package api_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"forge/ent"
	"forge/internal/ids"
	"forge/internal/scalar"
	"forge/test/dbtest"
)

// hired is a hero as the test knows it: what it is grouped by and computed of.
type hired struct {
	age  *int32
	team *uuid.UUID
	at   time.Time
}

// question is a random question about heroes, in the API's words and as functions of rows.
type question struct {
	by, having, order []string
	where             bool // only those with an age
	first             int
	keys              []func(h hired) any // of each entry of by; nil for NULL
	kept              func(group []hired) bool
	ranks             []func(group []hired) (value any, desc bool)
	shown             string
}

// numbers are results over groups, by the names of their orders.
var numbers = map[string]func(group []hired) any{
	"COUNT":   func(group []hired) any { return int64(len(group)) },
	"SUM_AGE": func(group []hired) any { return sumOf(group) },
	"AVG_AGE": func(group []hired) any {
		if ages := agesOf(group); len(ages) > 0 {
			return float64(sumOf(group).(int64)) / float64(len(ages))
		}
		return nil
	},
	"MAX_AGE": func(group []hired) any {
		if ages := agesOf(group); len(ages) > 0 {
			return slices.Max(ages)
		}
		return nil
	},
	"COUNT_DISTINCT_TEAM_ID": func(group []hired) any {
		teams := map[uuid.UUID]bool{}
		for _, h := range group {
			if h.team != nil {
				teams[*h.team] = true
			}
		}
		return int64(len(teams))
	},
}

func agesOf(group []hired) (ages []int64) {
	for _, h := range group {
		if h.age != nil {
			ages = append(ages, int64(*h.age))
		}
	}
	return ages
}

func sumOf(group []hired) any {
	ages := agesOf(group)
	if ages == nil {
		return nil
	}
	sum := int64(0)
	for _, age := range ages {
		sum += age
	}
	return sum
}

// compareResults compares two values of a key or of a result. nil comes last in both directions.
func compareResults(a, b any, desc bool) (c int) {
	if a == nil || b == nil {
		return cmp.Compare(map[bool]int{true: 1}[a == nil], map[bool]int{true: 1}[b == nil])
	}
	switch x := a.(type) {
	case int64:
		c = cmp.Compare(x, b.(int64))
	case float64:
		c = cmp.Compare(x, b.(float64))
	case string:
		c = strings.Compare(x, b.(string))
	}
	if desc {
		return -c
	}
	return c
}

// askAtRandom returns a question.
func askAtRandom(r *rand.Rand) question {
	q := question{first: r.IntN(12), where: r.IntN(3) == 0, kept: func([]hired) bool { return true }}
	names := []string{"AGE", "TEAM_ID", "CREATED_AT"}
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	names = names[:1+r.IntN(3)]
	for _, name := range names {
		switch name {
		case "AGE":
			q.by = append(q.by, `{field: AGE}`)
			q.keys = append(q.keys, func(h hired) any {
				if h.age == nil {
					return nil
				}
				return int64(*h.age)
			})
			q.shown += "age "
		case "TEAM_ID":
			q.by = append(q.by, `{field: TEAM_ID}`)
			q.keys = append(q.keys, func(h hired) any {
				if h.team == nil {
					return nil
				}
				return h.team.String()
			})
			q.shown += "teamId "
		case "CREATED_AT":
			unit := []string{"HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"}[r.IntN(6)]
			zone := []string{"UTC", "Europe/Berlin", "America/Havana", "Australia/Lord_Howe"}[r.IntN(4)]
			q.by = append(q.by, fmt.Sprintf(`{field: CREATED_AT, bucket: %s, timeZone: %q}`, unit, zone))
			q.keys = append(q.keys, func(h hired) any {
				in, _ := scalar.Zone(zone)
				start, _ := scalar.Bucket(unit, h.at, in)
				return start.UTC().Format(time.RFC3339Nano)
			})
			q.shown += "createdAt "
		}
	}
	if r.IntN(3) == 0 {
		most := r.IntN(4)
		q.having = append(q.having, fmt.Sprintf("countGT: %d", most))
		q.kept = func(group []hired) bool { return len(group) > most }
	}
	for range r.IntN(3) {
		desc := r.IntN(2) == 0
		name, key := "", r.IntN(2*len(names))
		var rank func(group []hired) any
		if key < len(names) {
			name, rank = names[key], func(group []hired) any { return q.keys[key](group[0]) }
		} else {
			list := []string{"COUNT", "SUM_AGE", "AVG_AGE", "MAX_AGE", "COUNT_DISTINCT_TEAM_ID"}
			name = list[r.IntN(len(list))]
			rank = numbers[name]
		}
		q.order = append(q.order, fmt.Sprintf("{field: %s, direction: %s}", name, map[bool]string{true: "DESC", false: "ASC"}[desc]))
		q.ranks = append(q.ranks, func(group []hired) (any, bool) { return rank(group), desc })
	}
	return q
}

// query returns the question in GraphQL.
func (q question) query() string {
	where := ""
	if q.where {
		where = "(where: {ageIsNil: false})"
	}
	return fmt.Sprintf(`{ heroes%s { aggregate { count sum { age } avg { age } } groups(by: [%s], having: {%s}, orderBy: [%s], first: %d) { key { %s} aggregate {
		count sum { age } avg { age } max { age } countDistinct(field: TEAM_ID) } } } }`, where, strings.Join(q.by, ", "), strings.Join(q.having, ", "), strings.Join(q.order, ", "), q.first, q.shown)
}

// answer returns the answer that the rows have, with keys as the test knows them.
func (q question) answer(all []hired) string {
	rows := slices.DeleteFunc(slices.Clone(all), func(h hired) bool { return q.where && h.age == nil })
	groups := map[string][]hired{}
	for _, h := range rows {
		var key []any
		for _, of := range q.keys {
			key = append(key, of(h))
		}
		name := fmt.Sprintf("%#v", key)
		groups[name] = append(groups[name], h)
	}
	var list [][]hired
	for _, group := range groups {
		if q.kept(group) {
			list = append(list, group)
		}
	}
	slices.SortFunc(list, func(a, b []hired) int {
		for _, rank := range q.ranks {
			x, desc := rank(a)
			y, _ := rank(b)
			if c := compareResults(x, y, desc); c != 0 {
				return c
			}
		}
		for _, key := range q.keys {
			if c := compareResults(key(a[0]), key(b[0]), false); c != 0 {
				return c
			}
		}
		return 0
	})
	text := fmt.Sprintf("%d %v %v", len(rows), sumOf(rows), numbers["AVG_AGE"](rows))
	for _, group := range list[:min(q.first, len(list))] {
		for _, key := range q.keys {
			text += fmt.Sprintf("\n%v ", key(group[0]))
		}
		text += fmt.Sprintf("%d %v %v %v %v", len(group), sumOf(group), numbers["AVG_AGE"](group), numbers["MAX_AGE"](group), numbers["COUNT_DISTINCT_TEAM_ID"](group))
	}
	return text
}

// TestQuestions asks random questions, and compares the answers of each database with what plain
// rows of ent add up to.
func TestQuestions(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		r := rand.New(rand.NewPCG(7, 11))
		var all []hired
		a.stored(func(ctx context.Context, db *ent.Client) {
			teams := make([]uuid.UUID, 3)
			for i := range teams {
				teams[i] = db.Team.Create().SetName(fmt.Sprint("team ", i)).SaveX(ctx).ID
			}
			for i := range 60 {
				create := db.Hero.Create().SetName(fmt.Sprint("hero ", i)).
					SetCreatedAt(time.Date(2026, time.Month(1+r.IntN(12)), 1+r.IntN(28), r.IntN(24), r.IntN(60), 0, 0, time.UTC))
				if r.IntN(4) > 0 {
					create.SetAge(int32(r.IntN(4)))
				}
				if r.IntN(4) > 0 {
					create.SetTeamID(teams[r.IntN(3)])
				}
				create.SaveX(ctx)
			}
			for _, h := range db.Hero.Query().AllX(ctx) {
				all = append(all, hired{h.Age, h.TeamID, h.CreatedAt})
			}
		})
		for range 150 {
			q := askAtRandom(r)
			got := a.Must(q.query(), nil)
			if text, want := q.shownIn(t, got.RawData()), q.answer(all); text != want {
				t.Fatalf("%s\nis answered by\n%s\nwant\n%s", q.query(), text, want)
			}
		}
	})
}

// shownIn returns an answer in the form of question.answer.
func (q question) shownIn(t *testing.T, data string) string {
	t.Helper()
	type numbers struct {
		Count         int
		Sum, Max      struct{ Age any }
		Avg           struct{ Age *float64 }
		CountDistinct int
	}
	var answer struct {
		Heroes struct {
			Aggregate numbers
			Groups    []struct {
				Key       map[string]any
				Aggregate numbers
			}
		}
	}
	if err := json.Unmarshal([]byte(data), &answer); err != nil {
		t.Fatal(err)
	}
	average := func(f *float64) any {
		if f == nil {
			return nil
		}
		return *f
	}
	top := answer.Heroes.Aggregate
	text := fmt.Sprintf("%d %v %v", top.Count, top.Sum.Age, average(top.Avg.Age))
	for _, g := range answer.Heroes.Groups {
		for _, name := range strings.Fields(q.shown) {
			value := g.Key[name]
			if id, ok := value.(string); ok && name == "teamId" {
				parsed, err := ids.Parse(id)
				if err != nil {
					t.Fatal(err)
				}
				value = parsed.UUID.String()
			}
			text += fmt.Sprintf("\n%v ", value)
		}
		text += fmt.Sprintf("%d %v %v %v %v", g.Aggregate.Count, g.Aggregate.Sum.Age, average(g.Aggregate.Avg.Age), g.Aggregate.Max.Age, g.Aggregate.CountDistinct)
	}
	return text
}
