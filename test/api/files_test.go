package api_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"forge/ent"
	entfile "forge/ent/file"
	"forge/internal/blob"
	"forge/internal/file"
	"forge/internal/ids"
	"forge/internal/upload"
	"forge/internal/viewer"
	"forge/test/bucket"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// filesAPI is an API with files in a folder.
type filesAPI struct {
	*api
	uploads *upload.Uploads
	store   blob.Storage
}

// newFilesAPI returns an API whose files are in a folder of the test.
func newFilesAPI(t *testing.T, url string) *filesAPI {
	t.Helper()
	return newFilesAPIOn(t, url, blob.NewFolder(filepath.Join(t.TempDir(), "files")))
}

func newFilesAPIOn(t *testing.T, url string, store blob.Storage) *filesAPI {
	t.Helper()
	a := newBareAPI(t, url)
	a.self = viewer.System
	f := &filesAPI{a, a.uploadsTo(store), store}
	cfg := usual()
	cfg.Files, cfg.Multipart, cfg.MaxBodyBytes = f.uploads, true, 1<<20
	cfg.Uploads = f.uploads
	a.configure(cfg)
	return f
}

// uploadsTo returns uploads whose bytes go to a storage.
func (a *api) uploadsTo(store blob.Storage) *upload.Uploads {
	u := &upload.Uploads{DB: a.db, Entities: ent.Entities, Log: slog.New(slog.DiscardHandler)}
	u.Files = file.New(file.Options{Storage: store, Key: bytes.Repeat([]byte{7}, 32), MaxBytes: 20 << 20, MaxPixels: 1 << 20, Transfers: 8, Log: a.log, Awaited: u.Awaited})
	return u
}

// member returns a new user's ID, and a client of theirs.
func (f *filesAPI) member() (string, *gqltest.Client) {
	f.t.Helper()
	id := f.mustCall("createUser", vars{"input": vars{"username": "member-" + strings.ToLower(rand.Text()[:10])}}).Text("createUser.user.id")
	return id, f.signedIn(id)
}

// picture returns a PNG of a size that looks like no other one.
func pictureOf(side int) []byte {
	m := image.NewRGBA(image.Rect(0, 0, side, side))
	for i := range side {
		m.Set(i, i, color.RGBA{uint8(i), uint8(side), 99, 255})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
}

const createUpload = `mutation($input: CreateUploadInput!) { createUpload(input: $input) { upload { fileId url method headers { name value } expiresAt } } }`

// announced returns the ID of an upload, and has not sent its bytes.
func (f *filesAPI) announced(c *gqltest.Client, name, contentType string, content []byte) (string, *http.Request) {
	f.t.Helper()
	got := c.Must(createUpload, vars{"input": vars{"name": name, "contentType": contentType, "size": len(content)}})
	r := httptest.NewRequest(got.Text("createUpload.upload.method"), got.Text("createUpload.upload.url"), bytes.NewReader(content))
	var headers []struct{ Name, Value string }
	encoded, _ := json.Marshal(got.At("createUpload.upload.headers"))
	if err := json.Unmarshal(encoded, &headers); err != nil {
		f.t.Fatal(err)
	}
	for _, h := range headers {
		r.Header.Set(h.Name, h.Value)
	}
	return got.Text("createUpload.upload.fileId"), r
}

// sends sends the bytes of an upload.
func (f *filesAPI) sends(r *http.Request) {
	f.t.Helper()
	if r.URL.Host != "" && r.URL.Host != "example.com" { // S3
		r.RequestURI = ""
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			f.t.Fatal(err)
		}
		if answer.Body.Close(); answer.StatusCode >= 300 {
			f.t.Fatalf("%s: %s", r.Method, answer.Status)
		}
		return
	}
	w := httptest.NewRecorder()
	if f.uploads.Files.Handler().ServeHTTP(w, r); w.Code >= 300 {
		f.t.Fatalf("%s %s: %d %s", r.Method, r.URL.Path, w.Code, w.Body)
	}
}

// uploaded returns the ID of a picture that was uploaded.
func (f *filesAPI) uploaded(c *gqltest.Client, side int) string {
	f.t.Helper()
	id, r := f.announced(c, "a.png", "image/png", pictureOf(side))
	f.sends(r)
	return id
}

// got reads an address.
func (f *filesAPI) got(address string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	f.uploads.Files.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, address, nil))
	return w
}

// row returns the row of a file, or nil.
func (f *filesAPI) row(id string) (row *ent.File) {
	f.t.Helper()
	parsed, err := ids.Parse(id)
	if err != nil {
		f.t.Fatal(err)
	}
	f.stored(func(ctx context.Context, db *ent.Client) {
		row, err = db.File.Query().Where(entfile.ID(parsed.UUID)).Only(ctx)
		if ent.MaskNotFound(err) != nil {
			f.t.Fatal(err)
		}
	})
	return row
}

// age makes a file older.
func (f *filesAPI) age(id string, by time.Duration) {
	f.t.Helper()
	parsed, _ := ids.Parse(id)
	if _, err := f.db.ExecContext(f.t.Context(), `UPDATE files SET created_at = $1 WHERE id = $2`, time.Now().Add(-by).UTC(), parsed.UUID); err != nil {
		f.t.Fatal(err)
	}
}

// sweep sweeps n times.
func (f *filesAPI) sweep(n int) {
	f.t.Helper()
	for range n {
		if err := f.uploads.Sweep(f.t.Context()); err != nil {
			f.t.Fatal(err)
		}
	}
}

const (
	createProductWith = `mutation($input: CreateProductInput!) { createProduct(input: $input) { product { id picture { id name contentType size width height blurhash url } } } }`
	updateProductWith = `mutation($id: ID!, $input: UpdateProductInput!) { updateProduct(id: $id, input: $input) { product { id picture { id } } } }`
	createHeroWith    = `mutation($input: CreateHeroInput!) { createHero(input: $input) { hero { id photos { id } } } }`
	updateHeroWith    = `mutation($id: ID!, $input: UpdateHeroInput!) { updateHero(id: $id, input: $input) { hero { id photos { id } } } }`
)

// eachFiles runs a test on both databases, with files in a folder, and on SQLite with files in S3.
func eachFiles(t *testing.T, do func(t *testing.T, f *filesAPI)) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) { do(t, newFilesAPI(t, url)) })
	t.Run("s3", func(t *testing.T) {
		t.Parallel()
		store, err := blob.NewS3(bucket.Start(t).Address)
		if err != nil {
			t.Fatal(err)
		}
		do(t, newFilesAPIOn(t, dbtest.SQLite(t), store))
	})
}

// wantField expects an error about the argument at a path.
func wantField(t *testing.T, got gqltest.Answer, code, field, says string) {
	t.Helper()
	if got.Code() != code || got.Extension("field") != field || !strings.Contains(got.String(), says) {
		t.Errorf("%s; want %s at %s that says %q", got, code, field, says)
	}
}

func TestPictureOfProduct(t *testing.T) {
	eachFiles(t, func(t *testing.T, f *filesAPI) {
		id := f.uploaded(f.Client, 40)
		got := f.Must(createProductWith, vars{"input": vars{"sku": "P-1", "name": "Pencil", "priceCents": 1, "pictureId": id}})
		product := got.Text("createProduct.product.id")
		at := func(field string) any { return got.At("createProduct.product.picture." + field) }
		if at("id") != id || at("contentType") != "image/png" || at("size") != fmt.Sprint(len(pictureOf(40))) || at("width") != 40.0 || at("height") != 40.0 || at("blurhash") == nil {
			t.Errorf("the picture is %s", got)
		}
		address := got.Text("createProduct.product.picture.url")
		if w := f.got(address); w.Code != 200 || !bytes.Equal(w.Body.Bytes(), pictureOf(40)) || w.Header().Get("Content-Type") != "image/png" {
			t.Errorf("GET %s: %d %v", address, w.Code, w.Header())
		}
		again := f.Must(`query($id: ID!) { product(id: $id) { picture { url } } }`, vars{"id": product})
		if again.Text("product.picture.url") != address {
			t.Error("two questions within a moment get different addresses")
		}
		small := f.Must(`query($id: ID!) { product(id: $id) { picture { url(resize: {width: 10}, format: JPEG) } } }`, vars{"id": product})
		if w := f.got(small.Text("product.picture.url")); w.Code != 200 || w.Header().Get("Content-Type") != "image/jpeg" {
			t.Errorf("a smaller version: %d %v", w.Code, w.Header())
		}
		f.WantCode("BAD_USER_INPUT", `query($id: ID!) { product(id: $id) { picture { url(expires: 1) } } }`, vars{"id": product})
		// The same picture once more changes nothing, and null takes it away.
		f.Must(updateProductWith, vars{"id": product, "input": vars{"pictureId": id}})
		other := f.uploaded(f.Client, 41)
		if got := f.Must(updateProductWith, vars{"id": product, "input": vars{"pictureId": other}}); got.Text("updateProduct.product.picture.id") != other {
			t.Error(got)
		}
		if got := f.Must(updateProductWith, vars{"id": product, "input": vars{"pictureId": nil}}); got.At("updateProduct.product.picture") != nil {
			t.Error(got)
		}
		f.sweep(2)
		if f.row(id) != nil || f.row(other) != nil {
			t.Error("pictures that a product had are still there")
		}
		if w := f.got(address); w.Code != http.StatusNotFound {
			t.Errorf("a removed picture: %d", w.Code)
		}
	})
}

func TestPhotosOfHero(t *testing.T) {
	eachFiles(t, func(t *testing.T, f *filesAPI) {
		_, me := f.member()
		var all []string
		for i := range 4 {
			all = append(all, f.uploaded(me, 20+i))
		}
		got := me.Must(createHeroWith, vars{"input": vars{"name": "Ada", "photos": vars{"connect": all[:2]}}})
		hero := got.Text("createHero.hero.id")
		photos := func(got gqltest.Answer, want ...string) {
			t.Helper()
			var has []string
			for i := range got.Len("updateHero.hero.photos") {
				has = append(has, got.Text(fmt.Sprintf("updateHero.hero.photos.%d.id", i)))
			}
			if strings.Join(has, " ") != strings.Join(want, " ") {
				t.Errorf("the photos are %v; want %v", has, want)
			}
		}
		update := func(input vars) gqltest.Answer {
			t.Helper()
			return me.Must(updateHeroWith, vars{"id": hero, "input": vars{"photos": input}})
		}
		photos(update(vars{"connect": []string{all[2]}}), all[:3]...)
		photos(update(vars{"connect": []string{all[2]}}), all[:3]...) // it is there already
		photos(update(vars{"disconnect": []string{all[0]}}), all[1:3]...)
		photos(update(vars{"set": []string{all[2], all[3]}}), all[2:]...)
		got = me.Do(updateHeroWith, vars{"id": hero, "input": vars{"photos": vars{"connect": []string{all[0]}}}})
		wantField(t, got, "BAD_USER_INPUT", "input.photos.connect.0", "no upload of yours")
		f.sweep(2)
		for i, id := range all {
			if there := f.row(id) != nil; there != (i >= 2) {
				t.Errorf("photo %d is there: %t", i, there)
			}
		}
		me.Must(`mutation($id: ID!) { deleteHero(id: $id) { deletedId } }`, vars{"id": hero})
		f.sweep(2)
		if f.row(all[3]) != nil {
			t.Error("the photos of a removed hero are still there")
		}
	})
}

// TestFilesRefused tries to use files that are not for this place.
func TestFilesRefused(t *testing.T) {
	eachFiles(t, func(t *testing.T, f *filesAPI) {
		_, me := f.member()
		_, other := f.member()
		theirs, mine, pending := f.uploaded(other, 30), f.uploaded(me, 31), ""
		pending, _ = f.announced(me, "b.png", "image/png", pictureOf(32))
		text, r := f.announced(me, "c.png", "image/png", []byte("<svg onload=alert(1)>"))
		f.sends(r)
		unknown := ids.ID{Prefix: "file", UUID: uuid.Must(uuid.NewV7())}.String()
		used := f.uploaded(me, 33)
		me.Must(createHeroWith, vars{"input": vars{"name": "Ada", "photos": vars{"connect": []string{used}}}})
		got := me.Do(createHeroWith, vars{"input": vars{"name": "", "photos": vars{"connect": []string{theirs, mine, pending, text, unknown, used}}}})
		want := map[string]string{
			"input.name": "", "input.photos.connect.0": "no upload of yours", "input.photos.connect.2": "not uploaded, or not completely",
			"input.photos.connect.3": "by its content", "input.photos.connect.4": "no upload of yours", "input.photos.connect.5": "no upload of yours",
		}
		for _, e := range got.Errors {
			field, _ := e.Extensions["field"].(string)
			if !strings.Contains(e.Message, want[field]) {
				t.Errorf("%s: %s", field, e.Message)
			}
		}
		got = me.Do(createHeroWith, vars{"input": vars{"name": "Eve", "photos": vars{"connect": []string{theirs, mine, pending, text, unknown, used}}}})
		delete(want, "input.name")
		for _, e := range got.Errors {
			field, _ := e.Extensions["field"].(string)
			if says, ok := want[field]; !ok || !strings.Contains(e.Message, says) || e.Extensions["code"] != "BAD_USER_INPUT" {
				t.Errorf("%s: %s", field, e.Message)
			}
			delete(want, field)
		}
		if len(want) > 0 {
			t.Errorf("nothing was said of %v: %s", want, got)
		}
		// What was refused with others is free still.
		me.Must(createHeroWith, vars{"input": vars{"name": "Eve", "photos": vars{"connect": []string{mine}}}})
		other.Must(createHeroWith, vars{"input": vars{"name": "Mallory", "photos": vars{"connect": []string{theirs}}}})
		twice := f.uploaded(me, 34)
		wantField(t, me.Do(createHeroWith, vars{"input": vars{"name": "Eve", "photos": vars{"connect": []string{twice, twice}}}}),
			"BAD_USER_INPUT", "input.photos.connect.1", "named at")
		got = me.Do(`mutation($a: ID!) { createHeroes(input: [{name: "A", photos: {connect: [$a]}}, {name: "B", photos: {connect: [$a]}}]) { affected } }`, vars{"a": twice})
		wantField(t, got, "BAD_USER_INPUT", "input.1.photos.connect.0", "named at")
		anonymous := f.as(viewer.Viewer{})
		anonymous.WantCode("UNAUTHENTICATED", createUpload, vars{"input": vars{"name": "a", "contentType": "text/plain", "size": 1}})
	})
}

// TestFilesTogether attaches a file to two rows at once: exactly one gets it.
func TestFilesTogether(t *testing.T) {
	eachFiles(t, func(t *testing.T, f *filesAPI) {
		_, me := f.member()
		for round := range 5 {
			id := f.uploaded(me, 20+round)
			answers := make([]gqltest.Answer, 4)
			var wait sync.WaitGroup
			for i := range answers {
				wait.Go(func() {
					answers[i] = me.Send(t.Context(), createHeroWith, vars{"input": vars{"name": "Ada", "photos": vars{"connect": []string{id}}}})
				})
			}
			wait.Wait()
			won := 0
			for _, got := range answers {
				if got.OK() {
					won++
				} else if got.Code() != "BAD_USER_INPUT" {
					t.Error(got)
				}
			}
			if won != 1 {
				t.Errorf("%d heroes got the photo", won)
			}
		}
	})
}

// TestFilesLookedAt has as many mutations look at uploads as may. One more is refused, and not one
// without uploads.
func TestFilesLookedAt(t *testing.T) {
	eachFiles(t, func(t *testing.T, f *filesAPI) {
		_, me := f.member()
		f.uploads.Looking = make(chan struct{}, 1)
		f.uploads.Looking <- struct{}{}
		input := vars{"input": vars{"name": "Ada", "photos": vars{"connect": []string{f.uploaded(me, 20)}}}}
		if got := me.WantCode("UNAVAILABLE", createHeroWith, input); got.Extension("retryAfter") == nil {
			t.Error(got)
		}
		me.Must(createHeroWith, vars{"input": vars{"name": "Ada"}})
		<-f.uploads.Looking
		me.Must(createHeroWith, input)
		me.Must(createHeroWith, vars{"input": vars{"name": "Ada", "photos": vars{"connect": []string{f.uploaded(me, 21)}}}})
	})
}

// TestFilesRolledBack attaches a file in a mutation that fails afterwards.
func TestFilesRolledBack(t *testing.T) {
	eachFiles(t, func(t *testing.T, f *filesAPI) {
		id := f.uploaded(f.Client, 30)
		both := `mutation($id: ID!, $sku: String!) {
			a: createProduct(input: {sku: $sku, name: "A", priceCents: 1, pictureId: $id}) { product { id } }
			b: createProduct(input: {sku: $sku, name: "B", priceCents: 1}) { product { id } } }`
		f.WantCode("CONFLICT", both, vars{"id": id, "sku": "S"})
		if row := f.row(id); row.AttachedAt != nil {
			t.Error("the file of a mutation that was rolled back is attached")
		}
		// An entry that is left out gives its file back.
		f.Must(`mutation { createTeam(input: {name: "T", headquarters: "T"}) { team { id } } }`, nil)
		got := f.Must(`mutation($id: ID!) { createHeroes(onError: SKIP, input: [{name: "A"}, {name: "B", team: {create: {name: "T", headquarters: "T"}}, photos: {connect: [$id]}}]) { affected errors { index } } }`,
			vars{"id": id})
		if got.Number("createHeroes.affected") != 1 || f.row(id).AttachedAt != nil {
			t.Errorf("%s; attached at %v", got, f.row(id).AttachedAt)
		}
		upsert := `mutation($id: ID!, $do: ConflictAction!) { createProduct(input: {sku: "U", name: "U", priceCents: 1, pictureId: $id}, onConflict: {on: SKU, do: $do}) { created product { picture { id } } } }`
		for range 2 { // the second time the row has it
			if got := f.Must(upsert, vars{"id": id, "do": "UPDATE"}); got.Text("createProduct.product.picture.id") != id {
				t.Error(got)
			}
		}
		other := f.uploaded(f.Client, 31)
		f.Must(upsert, vars{"id": other, "do": "NOTHING"})
		if f.row(other).AttachedAt != nil {
			t.Error("an upsert that changed nothing has kept the file")
		}
		got = f.Do(`mutation($id: ID!) { createProduct(input: {sku: "V", name: "V", priceCents: 1, pictureId: $id}, onConflict: {on: SKU, do: UPDATE}) { created } }`, vars{"id": id})
		wantField(t, got, "BAD_USER_INPUT", "input.pictureId", "no upload of yours")
	})
}
