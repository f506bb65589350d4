package api_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"forge/ent"
	"forge/internal/entity"
	"forge/test/dbtest"
)

// TestCollation reads pages and groups that are ordered by the letters of a language, in both
// directions and pages from both ends, on both databases. Equal names are in the order of their
// keys.
func TestCollation(t *testing.T) {
	t.Parallel()
	for language, words := range map[string]string{
		"de":  "a A ä Ä ab äb Az b o ö Oz z Z",
		"sv":  "a A ab Az b o Oz z Z å ä Ä äb ö",
		"es":  "n N nz Nz ñ Ñ o",
		"cs":  "c cz č d h ch i",
		"und": "10 2 a-b ab e E é É f",
		"":    "A Z a b z ä ö",
	} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			w, want := &world{}, strings.Fields(words)
			want = slices.Insert(want, 2, want[2]) // twice the same
			for _, i := range rand.New(rand.NewPCG(1, 1)).Perm(len(want)) {
				w.heroes = append(w.heroes, &ent.Hero{ID: entity.NewID(), CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Version: 1, Name: want[i]})
			}
			if language == "" {
				language = "null"
			} else {
				language = `"` + language + `"`
			}
			both := newTwins(t, w)
			for _, direction := range []string{"ASC", "DESC"} {
				for _, side := range []string{"first: 3, after", "last: 3, before"} {
					query := fmt.Sprintf(`query($c: Cursor) { heroes(orderBy: [{field: NAME, direction: %s, collation: %s}], %s: $c) { nodes { name }
						pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`, direction, language, side)
					var got []string
					for v, more := (vars{}), true; more; {
						page := both.mustDo(t, query, v)
						var names []string
						for i := range page.Len("heroes.nodes") {
							names = append(names, page.Text(fmt.Sprintf("heroes.nodes.%d.name", i)))
						}
						if side[0] == 'f' {
							got, v = append(got, names...), vars{"c": page.At("heroes.pageInfo.endCursor")}
							more = page.At("heroes.pageInfo.hasNextPage") == true
						} else {
							got, v = append(names, got...), vars{"c": page.At("heroes.pageInfo.startCursor")}
							more = page.At("heroes.pageInfo.hasPreviousPage") == true
						}
					}
					if direction == "DESC" {
						slices.Reverse(got)
					}
					if !slices.Equal(got, want) {
						t.Errorf("%s: %q, want %q", query, got, want)
					}
				}
				query := fmt.Sprintf(`{ heroes { groups(by: [{field: NAME}], orderBy: [{field: NAME, direction: %s, collation: %s}]) { key { name } } } }`, direction, language)
				groups, names := both.mustDo(t, query, nil), []string{}
				for i := range groups.Len("heroes.groups") {
					names = append(names, groups.Text(fmt.Sprintf("heroes.groups.%d.key.name", i)))
				}
				if direction == "DESC" {
					slices.Reverse(names)
				}
				if !slices.Equal(names, slices.Compact(slices.Clone(want))) {
					t.Errorf("%s: %q, want %q", query, names, want)
				}
			}
		})
	}
}

// TestCollationMissing expects a sentence for the client where PostgreSQL lacks the collations of
// ICU.
func TestCollationMissing(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.Postgres(t))
	if _, err := a.db.ExecContext(t.Context(), `DELETE FROM pg_collation WHERE collname = 'de-x-icu'`); err != nil {
		t.Fatal(err)
	}
	got := a.Do(`{ heroes(orderBy: [{field: NAME, collation: "de"}]) { nodes { id } } }`, nil)
	if got.Code() != badInput || got.Extension("field") != "orderBy" {
		t.Errorf("code %q: %s", got.Code(), got)
	}
}
