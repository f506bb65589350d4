package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"forge/ent"
	entfile "forge/ent/file"
	"forge/internal/blob"
	"forge/internal/expiry"
	"forge/internal/gqlexec"
	"forge/internal/ids"
	"forge/internal/persisted"
	"forge/internal/viewer"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// TestFilesSwept sweeps beside mutations that attach.
func TestFilesSwept(t *testing.T) {
	eachFiles(t, func(t *testing.T, f *filesAPI) {
		_, me := f.member()
		old, young := f.uploaded(me, 20), f.uploaded(me, 21)
		f.age(old, 25*time.Hour)
		f.sweep(1)
		wantField(t, me.Do(createHeroWith, vars{"input": vars{"name": "Ada", "photos": vars{"connect": []string{old}}}}),
			"BAD_USER_INPUT", "input.photos.connect.0", "")
		f.sweep(1)
		if f.row(old) != nil || f.row(young) == nil {
			t.Error("the sweep took the wrong file")
		}
		for i := range 10 {
			id := f.uploaded(me, 30+i)
			f.age(id, 25*time.Hour)
			var got gqltest.Answer
			var wait sync.WaitGroup
			wait.Go(func() {
				got = me.Send(t.Context(), createHeroWith, vars{"input": vars{"name": "Ada", "photos": vars{"connect": []string{id}}}})
			})
			wait.Go(func() { _ = f.uploads.Sweep(context.WithoutCancel(t.Context())) })
			wait.Wait()
			f.sweep(2)
			if there := f.row(id) != nil; there != got.OK() {
				t.Errorf("attached: %s; the file is there: %t", got, there)
			}
		}
		// A file that a row got in the moment of the mark stays.
		id := f.uploaded(me, 50)
		me.Must(createHeroWith, vars{"input": vars{"name": "Ada", "photos": vars{"connect": []string{id}}}})
		parsed, _ := ids.Parse(id)
		f.stored(func(ctx context.Context, db *ent.Client) {
			if err := db.File.UpdateOneID(parsed.UUID).SetState(entfile.StateRemoved).Exec(ctx); err != nil {
				t.Fatal(err)
			}
		})
		f.sweep(2)
		if row := f.row(id); row == nil || row.State != entfile.StateStored {
			t.Errorf("a file that a row has: %v", row)
		}
	})
}

// TestFilesSweptAll has more files than one transaction of a sweep looks at. None is left to a
// later sweep.
func TestFilesSweptAll(t *testing.T) {
	eachFiles(t, func(t *testing.T, f *filesAPI) {
		const many = expiry.Limit + 1
		old := time.Now().Add(-25 * time.Hour).UTC()
		f.stored(func(ctx context.Context, db *ent.Client) {
			var all []*ent.FileCreate
			for range many {
				one := db.File.Create().SetName("a").SetContentType("text/plain").SetSize(1).SetCreatedAt(old)
				left := db.File.Create().SetName("b").SetContentType("text/plain").SetSize(1).SetState(entfile.StateStored).SetEtag("x").SetAttachedAt(old)
				all = append(all, one, left)
			}
			for some := range slices.Chunk(all, 500) {
				if err := db.File.CreateBulk(some...).Exec(ctx); err != nil {
					t.Fatal(err)
				}
			}
		})
		f.sweep(2)
		f.stored(func(ctx context.Context, db *ent.Client) {
			if n := db.File.Query().CountX(ctx); n != 0 {
				t.Errorf("%d of %d files are left", n, 2*many)
			}
		})
	})
}

// TestFilesMany announces more than is allowed.
func TestFilesMany(t *testing.T) {
	eachFiles(t, func(t *testing.T, f *filesAPI) {
		_, me := f.member()
		made := 0
		for range 1000 {
			got := me.Send(t.Context(), createUpload, vars{"input": vars{"name": "a", "contentType": "text/plain", "size": 1}})
			if got.OK() {
				made++
			} else if got.Code() != "RATE_LIMITED" {
				t.Fatal(got)
			} else if made > 0 && made < 1000 {
				break
			}
		}
		if made != 100 {
			t.Errorf("%d uploads could be announced", made)
		}
		_, other := f.member()
		for size, want := range map[any]string{int64(1) << 40: "input.size", 0: "input.size", -1: "input.size", 21 << 20: "input.size"} {
			got := other.Do(createUpload, vars{"input": vars{"name": "a", "contentType": "text/plain", "size": size}})
			wantField(t, got, "BAD_USER_INPUT", want, "")
		}
		for _, name := range []string{"", strings.Repeat("a", 256), "a\x00b", "a\nb"} {
			got := other.Do(createUpload, vars{"input": vars{"name": name, "contentType": "text/plain", "size": 1}})
			wantField(t, got, "BAD_USER_INPUT", "input.name", "")
		}
		wantField(t, other.Do(createUpload, vars{"input": vars{"name": "../../etc/passwd", "contentType": "; ;", "size": 1}}), "BAD_USER_INPUT", "input.contentType", "")
		big := 0
		for range 20 {
			if other.Send(t.Context(), createUpload, vars{"input": vars{"name": "a", "contentType": "text/plain", "size": 20 << 20}}).OK() {
				big++
			}
		}
		if big != 10 {
			t.Errorf("%d uploads of 20 MiB could be announced", big)
		}
	})
}

// TestFilesHidden looks for the files of rows that one may not see.
func TestFilesHidden(t *testing.T) {
	eachFiles(t, func(t *testing.T, f *filesAPI) {
		_, me := f.member()
		id := f.uploaded(me, 20)
		me.Must(createHeroWith, vars{"input": vars{"name": "Ada", "photos": vars{"connect": []string{id}}}})
		_, other := f.member()
		other.WantCode("GRAPHQL_VALIDATION_FAILED", `query($id: ID!) { node(id: $id) { ... on File { url } } }`, vars{"id": id})
		if got := other.Do(`query($id: ID!) { node(id: $id) { id } }`, vars{"id": id}); got.At("node") != nil {
			t.Error(got)
		}
		if got := other.Do(`query($id: ID!) { nodes(ids: [$id]) { id } }`, vars{"id": id}); got.OK() && got.At("nodes.0") != nil {
			t.Error(got)
		}
		for _, root := range []string{"file", "files", "deleteFile", "updateFile", "createFile"} {
			if strings.Contains(f.Must(`{ __schema { queryType { fields { name } } mutationType { fields { name } } } }`, nil).Body, `"`+root+`"`) {
				t.Errorf("there is a root field %s", root)
			}
		}
	})
}

// TestFilesExported exports what an account has uploaded.
func TestFilesExported(t *testing.T) {
	eachFiles(t, func(t *testing.T, f *filesAPI) {
		id, me := f.member()
		_, other := f.member()
		mine := f.uploaded(me, 20)
		f.uploaded(other, 21)
		me.Must(createHeroWith, vars{"input": vars{"name": "Ada", "photos": vars{"connect": []string{mine}}}})
		parsed, _ := ids.Parse(id)
		f.stored(func(ctx context.Context, _ *ent.Client) {
			all, err := f.uploads.Exported(ctx, parsed.UUID, 10)
			if err != nil || len(all) != 1 {
				t.Fatalf("%s %v", all, err)
			}
			var of struct{ ID, Name, URL string }
			if err := json.Unmarshal(all[0], &of); err != nil || of.ID != mine || f.got(of.URL).Code != 200 {
				t.Errorf("%s: %v", all[0], err)
			}
		})
	})
}

// TestFilesKept asks for addresses in answers that caches may keep otherwise. No cache may keep an
// address: it may end before the answer does.
func TestFilesKept(t *testing.T) {
	eachFiles(t, func(t *testing.T, f *filesAPI) {
		cfg := usual()
		cfg.Files, cfg.Uploads = f.uploads, f.uploads
		cfg.adapt = func(app *gqlexec.API) {
			app.Entities = slices.Clone(app.Entities)
			for i, e := range app.Entities {
				if e.Name == "Product" || e.Name == "File" {
					aged := *e
					aged.MaxAge = 60
					app.Entities[i] = &aged
				}
			}
		}
		documents := filepath.Join(t.TempDir(), "documents.json")
		text := `{"name": "{ products { nodes { name } } }", "size": "{ products { nodes { picture { size } } } }", "url": "{ products { nodes { picture { url } } } }"}`
		if err := os.WriteFile(documents, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		manifest, err := cfg.Resolver.API().TrustedDocuments(documents, 0)
		if err != nil {
			t.Fatal(err)
		}
		f.Must(createProductWith, vars{"input": vars{"sku": "P-1", "name": "Pencil", "priceCents": 1, "pictureId": f.uploaded(f.Client, 40)}})
		cfg.Documents = persisted.Trusted{Manifest: manifest}
		f.configure(cfg)
		for name, want := range map[string]string{"name": "public, max-age=60", "size": "public, max-age=60", "url": "no-store"} {
			got := f.as(viewer.Viewer{}).Get("/graphql?documentId=" + name)
			if got.Status != 200 || got.Header.Get("Cache-Control") != want {
				t.Errorf("%s: %v %s", name, got.Header, got)
			}
		}
	})
}

// TestFilesHoldNothing uploads while the only connection of the database is watched: what was
// uploaded is looked at before the mutation takes it.
func TestFilesHoldNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		s := &slowStorage{Storage: blob.NewFolder(filepath.Join(t.TempDir(), "files"))}
		f := newFilesAPIOn(t, url, s)
		_, me := f.member()
		id, r := f.announced(me, "a.png", "image/png", pictureOf(20))
		f.sends(r)
		s.watch = func() int { return f.db.Stats().InUse }
		me.Must(createHeroWith, vars{"input": vars{"name": "Ada", "photos": vars{"connect": []string{id}}}})
		if !s.moved || s.held != 0 {
			t.Errorf("moved: %t, with %d connections held", s.moved, s.held)
		}
	})
}

// slowStorage looks at what is held while a file is moved to its final place.
type slowStorage struct {
	blob.Storage
	watch func() int
	moved bool
	held  int
}

func (s *slowStorage) Move(ctx context.Context, from blob.Info, to string) error {
	if s.watch != nil {
		s.moved, s.held = true, s.held+s.watch()
	}
	return s.Storage.Move(ctx, from, to)
}

func (s *slowStorage) Append(ctx context.Context, key string, offset int64, r io.Reader) (int64, error) {
	return s.Storage.(interface {
		Append(context.Context, string, int64, io.Reader) (int64, error)
	}).Append(ctx, key, offset, r)
}

// form returns a multipart request.
func form(operations, places string, files ...[]byte) (string, *bytes.Buffer) {
	var b bytes.Buffer
	field := func(head, content string) {
		b.WriteString("--x\r\nContent-Disposition: form-data; " + head + "\r\n\r\n" + content + "\r\n")
	}
	field(`name="operations"`, operations)
	field(`name="map"`, places)
	for i, content := range files {
		field(fmt.Sprintf("name=\"%d\"; filename=\"a.png\"\r\nContent-Type: image/png", i), string(content))
	}
	b.WriteString("--x--\r\n")
	return "multipart/form-data; boundary=x", &b
}

func TestMultipartRequests(t *testing.T) {
	eachFiles(t, func(t *testing.T, f *filesAPI) {
		_, me := f.member()
		send := func(c *gqltest.Client, operations, places string, files ...[]byte) gqltest.Answer {
			t.Helper()
			contentType, body := form(operations, places, files...)
			return c.With("Content-Type", contentType).SendBody(t.Context(), body.Bytes())
		}
		operation := func(v vars) string {
			text, _ := json.Marshal(vars{"query": createHeroWith, "variables": v})
			return string(text)
		}
		two := operation(vars{"input": vars{"name": "Ada", "photos": vars{"connect": []any{nil, nil}}}})
		places := `{"0": ["variables.input.photos.connect.0"], "1": ["variables.input.photos.connect.1"]}`
		if got := send(me, two, places, pictureOf(9), pictureOf(10)); got.Code() != "FORBIDDEN" {
			t.Errorf("a form without the header: %s", got)
		}
		ours := me.With("GraphQL-Require-Preflight", "1")
		got := send(ours, two, places, pictureOf(9), pictureOf(10))
		if !got.OK() || got.Len("createHero.hero.photos") != 2 {
			t.Fatal(got)
		}
		keyed := ours.With("Idempotency-Key", "k1")
		first, second := send(keyed, two, places, pictureOf(9), pictureOf(10)), send(keyed, two, places, pictureOf(9), pictureOf(10))
		if !first.OK() || first.Body != second.Body {
			t.Errorf("%s\n%s", first, second)
		}
		if got := send(keyed, two, places, pictureOf(9), pictureOf(11)); got.Code() != "IDEMPOTENCY_CONFLICT" {
			t.Errorf("the key with another file: %s", got)
		}
		for name, bad := range map[string]gqltest.Answer{
			"not null":      send(ours, operation(vars{"input": vars{"name": "x"}}), `{"0": ["variables.input.name"]}`, pictureOf(9)),
			"no place":      send(ours, two, `{"0": ["variables.a.b"]}`, pictureOf(9)),
			"query":         send(ours, two, `{"0": ["query"]}`, pictureOf(9)),
			"missing file":  send(ours, two, places, pictureOf(9)),
			"unnamed file":  send(ours, two, `{}`, pictureOf(9)),
			"no operations": send(ours, "", places, pictureOf(9), pictureOf(9)),
			"a batch":       send(ours, "["+two+"]", places, pictureOf(9), pictureOf(9)),
			"no map":        send(ours, two, "[]", pictureOf(9)),
			"too large":     send(ours, two, places, make([]byte, 22<<20)),
			"long map":      send(ours, two, `{"0": ["`+strings.Repeat("x", 100<<10)+`"]}`, pictureOf(9)),
		} {
			if bad.OK() || bad.Code() != "BAD_USER_INPUT" {
				t.Errorf("%s: %s", name, bad)
			}
		}
		// What is read into memory before anybody knows who sends it is bounded.
		contentType, body := form(two, places, pictureOf(9), pictureOf(10))
		padded := bytes.Replace(body.Bytes(), []byte("\r\n\r\n"), []byte("\r\nX-Pad: "+strings.Repeat("x", 1<<20)+"\r\n\r\n"), 1)
		if got := ours.With("Content-Type", contentType).SendBody(t.Context(), padded); got.Status != http.StatusRequestEntityTooLarge {
			t.Errorf("a part with headers of a MiB: %s", got)
		}
		contentType, body = form(two, places, pictureOf(9), pictureOf(10))
		for _, end := range []int{10, body.Len() / 2, body.Len() - 20} {
			got := ours.With("Content-Type", contentType).SendBody(t.Context(), body.Bytes()[:end])
			if got.Status != http.StatusBadRequest || got.Code() != "BAD_USER_INPUT" {
				t.Errorf("a form that ends after %d bytes: %s", end, got)
			}
		}
		if got := send(f.as(viewer.Viewer{}).With("GraphQL-Require-Preflight", "1"), two, places, pictureOf(9), pictureOf(10)); got.Code() != "UNAUTHENTICATED" {
			t.Errorf("a stranger: %s", got)
		}
		cfg := usual()
		cfg.Files, cfg.Uploads = f.uploads, f.uploads
		f.configure(cfg)
		if got := send(f.Client.With("GraphQL-Require-Preflight", "1"), two, places, pictureOf(9), pictureOf(10)); got.OK() {
			t.Errorf("MULTIPART_UPLOADS is off: %s", got)
		}
	})
}
