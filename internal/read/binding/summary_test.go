package binding

import (
	"strings"
	"testing"

	"forge/internal/entity"
)

// questions are the aggregates and groups of tracks. Each test makes one thing in them wrong.
const questions = `type TrackConnection { edges: [TrackEdge!]! nodes: [Track!]! pageInfo: PageInfo! totalCount: Int! aggregate: TrackAggregate!
  groups(by: [TrackGroupBy!]!, having: TrackHaving, orderBy: [TrackGroupOrder!], first: Int): [TrackGroup!]! }
scalar BigInt
enum TimeBucket { DAY MONTH }
type TrackAggregate { count: Int! countDistinct(field: TrackGroupField!): Int! sum: Sums! avg: Averages! min: Extremes! max: Extremes! }
type Sums { length: BigInt plays: BigInt }
type Averages { plays: Float }
type Extremes { name: String plays: Int genre: Genre released: Time }
type TrackGroup { key: TrackGroupKey! aggregate: TrackAggregate! }
type TrackGroupKey { genre: Genre live: Boolean albumId: ID album: Album released: Time }
input TrackGroupBy { field: TrackGroupField! bucket: TimeBucket timeZone: String }
enum TrackGroupField { GENRE LIVE ALBUM_ID ALBUM RELEASED }
input TrackHaving { count: Int sumPlaysGTE: BigInt avgPlaysLT: Float minReleasedGT: Time countDistinctAlbumIdNEQ: Int }
input TrackGroupOrder { field: TrackGroupOrderField! direction: OrderDirection! = ASC }
enum TrackGroupOrderField { RELEASED COUNT SUM_PLAYS MAX_NAME COUNT_DISTINCT_ALBUM }`

func TestBindSummary(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, from, to string
		change         func(*entity.Entity)
		want           string // a part of the only finding; "" if there must be none
	}{
		{"all fits", "", "", nil, ""},
		{"another aggregate", "aggregate: TrackAggregate!\n", "aggregate: TrackAggregate\n", nil, "TrackConnection.aggregate: its type is TrackAggregate; allowed: TrackAggregate!"},
		{"other groups", "): [TrackGroup!]!", "): [TrackGroup!]", nil, "TrackConnection.groups: its type is [TrackGroup!]; allowed: [TrackGroup!]!"},
		{"groups by nothing", "groups(by: [TrackGroupBy!]!, ", "groups(", nil, "TrackConnection.groups: it has no argument by"},
		{"an argument of another type", "first: Int): [TrackGroup", "first: String): [TrackGroup", nil, "TrackConnection.groups(first:): its type is String; allowed: Int or Int!"},
		{"an argument that nothing reads", "first: Int): [TrackGroup", "last: Int): [TrackGroup", nil, "TrackConnection.groups(last:): nothing reads this argument"},
		{"a function that is not there", "avg: Averages!", "median: Averages!", nil, "TrackAggregate.median: nothing answers this field"},
		{"a sum that may be null", "sum: Sums!", "sum: Sums", nil, "TrackAggregate.sum: its type is Sums; allowed is a type whose fields are columns of Track"},
		{"a number of what is not said", "countDistinct(field: TrackGroupField!)", "countDistinct", nil, "TrackAggregate.countDistinct: it has to have the one argument field"},
		{"a sum of another type", "plays: BigInt }", "plays: Int }", nil, "TrackAggregate.sum.plays: its type is Int; allowed: BigInt"},
		{"a sum that is never null", "plays: BigInt }", "plays: BigInt! }", nil, "TrackAggregate.sum.plays: its type is BigInt!; allowed: BigInt"},
		{"a sum of texts", "plays: BigInt }", "name: String }", nil, "TrackAggregate.sum.name: the column name of Track is of type string in ent/schema, which has no sum"},
		{"a sum of what is not there", "plays: BigInt }", "weight: Int }", nil, "TrackAggregate.sum.weight: Track has no column of this name"},
		{"a sum of what is sensitive", "plays: BigInt }", "pin: BigInt }", add(entity.Field{Name: "pin", Column: "pin", Kind: entity.Int, Type: "int32", Sensitive: true}),
			"TrackAggregate.sum.pin: the column pin of Track is Sensitive()"},
		{"a key that is never null", "live: Boolean albumId", "live: Boolean! albumId", nil, "TrackGroupKey.live: its type is Boolean!; allowed: Boolean"},
		{"a key that is an edge to many", "album: Album released", "remixes: Album released", nil, "TrackGroupKey.remixes: Track has neither a column"},
		{"a key of another type", "album: Album released", "album: Label released", nil, "TrackGroupKey.album: its type is Label; allowed: Album"},
		{"grouped by what is not there", "{ GENRE LIVE ALBUM_ID", "{ GENRE WEIGHT ALBUM_ID", nil, "TrackGroupField.WEIGHT: Track has neither a column"},
		{"an order by what is not there", "COUNT SUM_PLAYS", "COUNT SUM_NAME", nil, "TrackGroupOrderField.SUM_NAME: groups of Track cannot be ordered by it"},
		{"an order of two meanings", "COUNT SUM_PLAYS", "COUNT SUM_PLAYS", add(entity.Field{Name: "count", Column: "count", Kind: entity.Int, Type: "int32"}),
			"TrackGroupOrderField.COUNT: it can be read in two ways"},
		{"another default", "OrderField! direction: OrderDirection! = ASC }\nenum TrackGroupOrderField", "OrderField! direction: OrderDirection! = DESC }\nenum TrackGroupOrderField", nil,
			"TrackGroupOrder.direction: its default is DESC"},
		{"a condition on what is not there", "sumPlaysGTE: BigInt", "sumNameGTE: BigInt", nil, "TrackHaving.sumNameGTE: it compares nothing that groups of Track have"},
		{"a condition of another type", "sumPlaysGTE: BigInt", "sumPlaysGTE: Int", nil, "TrackHaving.sumPlaysGTE: its type is Int; allowed: BigInt"},
		{"a condition by another operator", "sumPlaysGTE: BigInt", "sumPlaysIn: [BigInt!]", nil, "TrackHaving.sumPlaysIn: it compares nothing"},
		{"a bucket that is not there", "{ DAY MONTH }", "{ DAY DECADE }", nil, "TimeBucket.DECADE: times are not cut to it"},
		{"another field of an entry", "timeZone: String", "zone: String", nil, "TrackGroupBy.zone: nothing answers this field"},
		{"a directive", "countDistinct(field: TrackGroupField!): Int!", "countDistinct(field: TrackGroupField!): Int! @secret", nil, "TrackAggregate.countDistinct: the directive @secret has no effect"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if strings.Count(questions, tt.from) != 1 && tt.from != "" {
				t.Fatalf("the questions have %q %d times, want once", tt.from, strings.Count(questions, tt.from))
			}
			found := findings(t, "type TrackConnection { edges: [TrackEdge!]! nodes: [Track!]! pageInfo: PageInfo! totalCount: Int! }", strings.Replace(questions, tt.from, tt.to, 1), tt.change, nil)
			switch {
			case tt.want == "" && len(found) > 0:
				t.Errorf("found %q, want nothing", found)
			case tt.want != "" && (len(found) != 1 || !strings.Contains(found[0], tt.want)):
				t.Errorf("found %q, want only %q", found, tt.want)
			}
		})
	}
}
