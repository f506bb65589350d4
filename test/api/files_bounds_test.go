package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"forge/internal/blob"
	"forge/internal/ids"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// stubborn is a folder of which some keys cannot be removed.
type stubborn struct {
	*blob.Folder
	stays func(key string) bool
	tried int
}

func (s *stubborn) Remove(ctx context.Context, key string) error {
	if s.tried++; s.stays(key) {
		return errors.New("this cannot be removed")
	}
	return s.Folder.Remove(ctx, key)
}

// TestFilesNotRemoved has files whose removal fails. They hold up no others, are counted, and are
// removed once that works. While none can be removed, few are tried.
func TestFilesNotRemoved(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		store := &stubborn{Folder: blob.NewFolder(filepath.Join(t.TempDir(), "files")), stays: func(string) bool { return false }}
		f := newFilesAPIOn(t, url, store)
		_, me := f.member()
		var all []string
		for i := range 25 {
			all = append(all, f.uploaded(me, 10+i))
			f.age(all[i], 25*time.Hour)
		}
		first, _ := ids.Parse(all[0])
		f.sweep(1)
		store.stays = func(string) bool { return true }
		store.tried = 0
		f.sweep(1)
		if n := f.uploads.NotRemoved(); n != 10 || store.tried != 10 {
			t.Errorf("%d not removed, %d tried, while the storage is away", n, store.tried)
		}
		store.stays = func(key string) bool { return strings.Contains(key, first.UUID.String()) }
		f.sweep(1)
		if f.row(all[10]) != nil || f.row(all[24]) != nil {
			t.Error("a sweep did not go on where the one before gave up")
		}
		f.sweep(1)
		for i, id := range all {
			if there := f.row(id) != nil; there != (i == 0) {
				t.Errorf("file %d is there: %t", i, there)
			}
		}
		if n := f.uploads.NotRemoved(); n != 1 {
			t.Errorf("%d not removed", n)
		}
		store.stays = func(string) bool { return false }
		if f.sweep(1); f.row(all[0]) != nil || f.uploads.NotRemoved() != 0 {
			t.Error("a file stays after its removal works again")
		}
	})
}

// TestFilesManyAtOnce announces uploads at once, of which few more are allowed.
func TestFilesManyAtOnce(t *testing.T) {
	eachFiles(t, func(t *testing.T, f *filesAPI) {
		_, me := f.member()
		input := vars{"input": vars{"name": "a", "contentType": "text/plain", "size": 1}}
		for range 95 {
			me.Must(createUpload, input)
		}
		var made atomic.Int32
		var wait sync.WaitGroup
		for range 24 {
			wait.Go(func() {
				if got := me.Send(t.Context(), createUpload, input); got.OK() {
					made.Add(1)
				} else if got.Code() != "RATE_LIMITED" {
					t.Error(got)
				}
			})
		}
		wait.Wait()
		if n := made.Load(); n != 5 {
			t.Errorf("%d more uploads could be announced", n)
		}
	})
}

// TestFilesOfAccount bounds what an account keeps in all.
func TestFilesOfAccount(t *testing.T) {
	eachFiles(t, func(t *testing.T, f *filesAPI) {
		f.uploads.MaxAccountBytes = 20_000
		_, me := f.member()
		announce := func(c *gqltest.Client, size int) gqltest.Answer {
			return c.Do(createUpload, vars{"input": vars{"name": "a", "contentType": "text/plain", "size": size}})
		}
		hero := me.Must(createHeroWith, vars{"input": vars{"name": "Ada", "photos": vars{"connect": []string{f.uploaded(me, 20), f.uploaded(me, 21)}}}})
		if got := announce(me, 20_000-2*4096+1); got.Code() != "FORBIDDEN" {
			t.Errorf("more than is allowed, with files in rows: %s", got)
		}
		if got := announce(me, 20_000-2*4096); !got.OK() {
			t.Error(got)
		}
		for range 2 { // the smallest files count as well
			if got := announce(me, 1); got.Code() != "FORBIDDEN" {
				t.Errorf("one more: %s", got)
			}
		}
		operations, _ := json.Marshal(vars{"query": createHeroWith, "variables": vars{"input": vars{"name": "Eve", "photos": vars{"connect": []any{nil}}}}})
		contentType, body := form(string(operations), `{"0": ["variables.input.photos.connect.0"]}`, pictureOf(9))
		got := me.With("Content-Type", contentType).With("GraphQL-Require-Preflight", "1").SendBody(t.Context(), body.Bytes())
		if got.Code() != "FORBIDDEN" {
			t.Errorf("one more in a form: %s", got)
		}
		_, other := f.member()
		if got := announce(other, 10_000); !got.OK() {
			t.Errorf("of another account: %s", got)
		}
		// A form's file is measured after it has come. What is too much is not kept.
		big := make([]byte, 10_001)
		contentType, body = form(string(operations), `{"0": ["variables.input.photos.connect.0"]}`, big)
		got = other.With("Content-Type", contentType).With("GraphQL-Require-Preflight", "1").SendBody(t.Context(), body.Bytes())
		if got.Code() != "FORBIDDEN" {
			t.Errorf("a large file in a form: %s", got)
		}
		if err := f.store.List(t.Context(), "files/", func(info blob.Info) error {
			if info.Size == int64(len(big)) {
				t.Errorf("%s is kept", info.Key)
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
		me.Must(`mutation($id: ID!) { deleteHero(id: $id) { deletedId } }`, vars{"id": hero.Text("createHero.hero.id")})
		if f.sweep(2); !announce(me, 2*4096).OK() {
			t.Error("files that were removed still count")
		}
	})
}

// TestFilesSentAgain sends bytes to the addresses of uploads that nobody waits for any more: of a
// file that was removed, and past Forge, as S3 allows.
func TestFilesSentAgain(t *testing.T) {
	eachFiles(t, func(t *testing.T, f *filesAPI) {
		_, me := f.member()
		content := pictureOf(20)
		id, r := f.announced(me, "a.png", "image/png", content)
		again := r.Clone(t.Context())
		f.sends(r)
		got := me.Must(createHeroWith, vars{"input": vars{"name": "Ada", "photos": vars{"connect": []string{id}}}})
		parsed, _ := ids.Parse(id)
		key := "uploads/" + parsed.UUID.String()
		if err := f.store.Put(t.Context(), key, strings.NewReader("once more"), 9); err != nil {
			t.Fatal(err)
		}
		waiting, r := f.announced(me, "b.png", "image/png", content)
		f.sends(r)
		f.sweep(1)
		if _, err := f.store.Open(t.Context(), key); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("bytes of a file that is there already are kept: %v", err)
		}
		me.Must(`mutation($id: ID!) { deleteHero(id: $id) { deletedId } }`, vars{"id": got.Text("createHero.hero.id")})
		f.sweep(2)
		again.Body = http.NoBody
		w := httptest.NewRecorder()
		if _, here := f.store.(*blob.Folder); here { // S3 itself takes what is sent to it
			if f.uploads.Files.Handler().ServeHTTP(w, again); w.Code != http.StatusGone {
				t.Errorf("bytes of a file that was removed: %d %s", w.Code, w.Body)
			}
		}
		if _, err := f.store.Open(t.Context(), key); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("they are kept: %v", err)
		}
		me.Must(createHeroWith, vars{"input": vars{"name": "Eve", "photos": vars{"connect": []string{waiting}}}})
	})
}
