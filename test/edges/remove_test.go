package edges

import (
	"testing"

	entschema "forge/internal/schema"
	"forge/test/dbtest"
)

// restrict has the databases refuse the removal of genres with children or tracks.
func restrict(tables []*entschema.Table) {
	for _, table := range tables {
		for _, key := range table.ForeignKeys {
			if key.RefTable.Name == "genres" && (table.Name == "genres" || table.Name == "tracks") {
				key.OnDelete = entschema.Restrict
			}
		}
	}
}

// TestRemovalOfTree removes rows that refer to each other by a foreign key with RESTRICT: together
// they go, whatever their order, and without those that refer to them they stay.
func TestRemovalOfTree(t *testing.T) {
	t.Parallel()
	api := writes(t, nestedMutations)
	for name, address := range map[string]func(testing.TB) string{"sqlite": dbtest.EmptySQLite, "postgres": dbtest.EmptyPostgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorldOf(t, address(t), restrict)
			c := nestedClient(w, api)
			c.want(`mutation { createGenre(input: {id: "genre_a", children: {create: [{id: "genre_b", children: {create: [{id: "genre_c"}, {id: "genre_0"}]}}, {id: "genre_d"}]}}) { created } }`, "")
			c.refused("CONFLICT", "where.idIn.0", "genre_b cannot be removed while a row of the type Genre refers to it", `mutation { deleteGenres(where: {idIn: ["genre_b", "genre_c"]}) { affected } }`)
			c.refused("CONFLICT", "where.id", "genre_a cannot be removed while a row of the type Genre refers to it", `mutation { deleteGenres(where: {id: "genre_a"}) { affected } }`)
			c.want(`mutation { deleteGenres(where: {}) { affected deletedIds } }`, `{"deleteGenres":{"affected":5,"deletedIds":["genre_0","genre_a","genre_b","genre_c","genre_d"]}}`)

			c.want(`mutation { createGenre(input: {id: "genre_a", children: {create: [{id: "genre_b", tracks: {create: [{name: "t"}]}}, {id: "genre_c"}]}}) { created } }`, "")
			c.refused("CONFLICT", "where", "genre_b cannot be removed while a row of the type Track refers to it", `mutation { deleteGenres(where: {}) { affected } }`)
		})
	}
}
