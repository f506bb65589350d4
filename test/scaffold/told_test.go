package scaffold

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"forge/internal/application"
	"forge/internal/changes"
	"forge/internal/database"
	"forge/internal/entity"
	"forge/internal/gqlexec"
	"forge/internal/migrator/dev"
	"forge/internal/viewer"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// TestTold follows changes of albums, whose keys are numbers, in an API that was written: of the
// albums of an artist, and of tracks, which count as changes of their albums.
func TestTold(t *testing.T) {
	t.Parallel()
	for name, address := range map[string]func(testing.TB) string{"sqlite": dbtest.EmptySQLite, "postgres": dbtest.EmptyPostgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testTold(t, address(t))
		})
	}
}

func testTold(t *testing.T, address string) {
	api := served(t, 1, func(e *entity.Entity) {
		e.Logged = e.Name == "Album" || e.Name == "Artist"
		if e.Name == "Track" {
			e.LoggedFor = []string{"album"}
		}
	})
	if err := api.Check(); err != nil {
		t.Fatal(err)
	}
	db, err := database.Open(address, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := dev.Create(t.Context(), db.DB, db.Dialect, dev.Schema{Tables: api.Tables, Objects: application.Objects(api.Entities)}); err != nil {
		t.Fatal(err)
	}
	keeper := changes.NewKeeper(changes.New(db.DB, db.Dialect, api.Entities), time.Hour, 1000)
	handler := gqlexec.New(api, db, gqlexec.Options{Development: true, Feed: keeper.Feed()}, slog.New(slog.NewTextHandler(t.Output(), nil)))
	ctx := viewer.NewContext(t.Context(), viewer.System)
	c := gqltest.NewHandler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r.WithContext(viewer.NewContext(r.Context(), viewer.System)))
	}))
	// told returns what a subscription tells that goes on at a cursor.
	told := func(subscription, cursor string) string {
		op := handler.Subscribe(ctx, &graphql.RawParams{Query: "subscription { told: " + subscription + " }"}, cursor, func() {})
		defer op.Close()
		answer, err := op.Next(ctx)
		if err != nil || answer == nil {
			t.Fatalf("%s: %v, %v", subscription, answer, err)
		}
		var got gqltest.Answer
		if err := json.Unmarshal(answer.Body, &got); err != nil || len(got.Errors) > 0 {
			t.Fatalf("%s: %s", subscription, answer.Body)
		}
		var list []string
		for i := range got.Len("told.changes") {
			at := fmt.Sprintf("told.changes.%d.", i)
			list = append(list, got.Text(at+"kind")+" "+got.Text(at+"id")+" "+got.Text(at+"album.title"))
		}
		return strings.Join(list, ", ")
	}
	tick := func() string {
		if err := changes.New(db.DB, db.Dialect, api.Entities).Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		return c.Must(`{ changeCursor }`, nil).Text("changeCursor")
	}
	start := tick()
	c.Must(`mutation { a: createArtist(input: {name: "a"}) { artist { id } } b: createArtist(input: {name: "b"}) { artist { id } }
		x: createAlbum(input: {title: "x", artistId: "artist_1"}) { album { id } } y: createAlbum(input: {title: "y", artistId: "artist_2"}) { album { id } } }`, nil)
	made := tick()
	c.Must(`mutation { createMediaType(input: {name: "m"}) { mediaType { id } }
		createTrack(input: {name: "t", milliseconds: 1, unitPrice: "1", mediaTypeId: "mediatype_1", albumId: "album_1"}) { track { id } } }`, nil)
	tracked := tick()
	c.Must(`mutation { updateAlbum(id: "album_1", input: {artistId: "artist_2"}) { album { id } } }`, nil)
	tick()
	const rest = "{ changes { kind id album { title } } }"
	for subscription, want := range map[[2]string]string{
		{"albumChanges " + rest, start}:                                                                   "CREATED album_1 x, CREATED album_2 y, UPDATED album_1 x, UPDATED album_1 x",
		{"albumChanges(artistIds: \"artist_2\") " + rest, start}:                                          "CREATED album_2 y, UPDATED album_1 x, UPDATED album_1 x",
		{"albumChanges(artistIds: \"artist_2\") " + rest, made}:                                           "UPDATED album_1 x, UPDATED album_1 x",
		{"albumChanges(artistIds: \"artist_1\") " + rest, made}:                                           "UPDATED album_1 x",
		{"albumChanges(artistIds: [\"artist_1\"], ids: [\"album_1\"]) " + rest, start}:                    "CREATED album_1 x, UPDATED album_1 x",
		{"albumChanges(artistIds: [\"artist_3\", \"artist_4\"]) " + rest, start}:                          "",
		{"albumChanges(ids: [\"album_1\"], kinds: UPDATED) " + rest, tracked}:                             "UPDATED album_1 x",
		{"artistChanges { changes { kind id } }", start}:                                                  "CREATED artist_1 , CREATED artist_2 ",
		{"changes(types: [ARTIST, ALBUM]) { changes { kind id node { ... on Album { title } } } }", made}: "UPDATED album_1 , UPDATED album_1 ",
	} {
		if got := told(subscription[0], subscription[1]); got != want {
			t.Errorf("%s is told %q, want %q", subscription[0], got, want)
		}
	}
}
