package doctor

import (
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"forge/ent"
	entfile "forge/ent/file"
	"forge/internal/blob"
	"forge/internal/database"
	"forge/internal/file"
	"forge/internal/viewer"
	"forge/test/bucket"
	"forge/test/dbtest"
)

// TestStorage examines folders and buckets, good ones and bad ones.
func TestStorage(t *testing.T) {
	t.Parallel()
	look := func(url string) Report { return newDoctor(t, "FILES_URL="+url).storage(t.Context(), nil) }
	dir := t.TempDir()
	if found := look("none"); len(found) > 0 {
		t.Errorf("%v", found)
	}
	mustFind(t, look(dir+"/new"), "files", OK, "is made with the first file")
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("it made %v, %v", entries, err)
	}
	mustFind(t, look(dir), "files", OK, "the folder "+dir, "free")
	scarce := newDoctor(t, "FILES_URL="+dir)
	scarce.minFree = 1 << 62
	mustFind(t, scarce.storage(t.Context(), nil), "files", Warn, "less than")
	if err := os.WriteFile(dir+"/file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s3 := bucket.Start(t)
	mustFind(t, look(s3.Address), "files", OK, "the bucket forge of 127.0.0.1", "written and read")
	mustFind(t, look(s3.Address+"-other"), "files", Fail, "does not work", "FILES_URL")
	s3.Stop()
	mustFind(t, look(s3.Address), "files", Fail, "does not work", "all else works")
}

// TestBytes examines a database with two files that rows have, of which one has its bytes.
func TestBytes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, address string) {
		db, err := database.Open(address, database.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		dir := t.TempDir()
		look := func() Report { return newDoctor(t, "DATABASE_URL="+address, "FILES_URL="+dir).bytes(t.Context(), db) }
		mustFind(t, look(), "bytes", OK, "the 0 newest files")
		ctx := viewer.NewContext(t.Context(), viewer.System)
		add := func() *ent.File {
			return ent.NewClient(ent.Driver(entsql.OpenDB(db.Dialect, db.DB))).File.Create().SetName("a").SetContentType("text/plain").SetSize(1).
				SetState(entfile.StateStored).SetEtag("x").SetAttachedAt(time.Now()).SaveX(ctx)
		}
		service := file.New(file.Options{Storage: blob.NewFolder(dir), Key: make([]byte, 32), MaxBytes: 10, Log: slog.New(slog.DiscardHandler)})
		if _, err := service.Store(ctx, file.File{ID: add().ID, Name: "a", ContentType: "text/plain", Size: 1}, strings.NewReader("a")); err != nil {
			t.Fatal(err)
		}
		mustFind(t, look(), "bytes", OK, "the 1 newest files")
		missing := add()
		mustFind(t, look(), "bytes", Fail, "of the 2 newest files, 1 have no bytes", "files/"+missing.ID.String(), "FILES_URL", "backup")
	})
}
