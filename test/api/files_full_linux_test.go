package api_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"forge/internal/blob"
	"forge/test/dbtest"
)

// smallDisk mounts a small file system of its own, or skips the test where that is not allowed.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=24m"); err != nil {
		t.Skipf("a file system cannot be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// fillsDisk is a reader that fills a disk once some of it was read.
type fillsDisk struct {
	io.Reader
	after   int
	ballast string
}

func (f *fillsDisk) Read(b []byte) (int, error) {
	n, err := f.Reader.Read(b[:min(len(b), 64<<10)])
	if before := f.after; before > 0 {
		if f.after -= n; f.after <= 0 {
			err = errors.Join(err, fillDisk(f.ballast))
		}
	}
	return n, err
}

// fillDisk writes a file until there is no room.
func fillDisk(path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	for b := make([]byte, 256<<10); ; {
		n, err := file.Write(b)
		if errors.Is(err, syscall.ENOSPC) && n == 0 && len(b) == 1<<10 {
			return nil
		}
		if err != nil && !errors.Is(err, syscall.ENOSPC) {
			return err
		}
		if err != nil {
			b = b[:1<<10]
		}
	}
}

// TestFilesDiskFull has others fill the disk of the files in the middle of an upload. An error says
// so, nothing half written is left, and once there is room the upload goes on.
func TestFilesDiskFull(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		disk := smallDisk(t)
		store := blob.NewFolder(filepath.Join(disk, "files"))
		store.Reserve = 0
		f, ballast := newFilesAPIOn(t, url, store), filepath.Join(disk, "ballast")
		_, me := f.member()
		content := make([]byte, 4<<20)
		rand.Read(content) // never fails
		kept := f.uploaded(me, 30)
		id, r := f.announced(me, "a.bin", "application/octet-stream", content)
		send := func(offset int64, body io.Reader) int {
			again := httptest.NewRequest(r.Method, r.URL.Path, body)
			again.Header = r.Header.Clone()
			again.Header.Set("Upload-Offset", strconv.FormatInt(offset, 10))
			again.ContentLength = int64(len(content)) - offset
			w := httptest.NewRecorder()
			f.uploads.Files.Handler().ServeHTTP(w, again)
			return w.Code
		}
		if status := send(0, &fillsDisk{bytes.NewReader(content), 1 << 20, ballast}); status != http.StatusInsufficientStorage {
			t.Fatalf("with a full disk: %d", status)
		}
		head := httptest.NewRequest(http.MethodHead, r.URL.Path, nil)
		head.Header.Set("Tus-Resumable", "1.0.0")
		w := httptest.NewRecorder()
		f.uploads.Files.Handler().ServeHTTP(w, head)
		offset, err := strconv.ParseInt(w.Header().Get("Upload-Offset"), 10, 64)
		if err != nil || offset == 0 || offset >= int64(len(content)) {
			t.Fatalf("%d bytes have arrived, %v", offset, err)
		}
		hero := vars{"input": vars{"name": "Ada", "photos": vars{"connect": []string{id}}}}
		wantField(t, me.Do(createHeroWith, hero), "BAD_USER_INPUT", "input.photos.connect.0", "not completely")
		me.WantCode("UNAVAILABLE", createUpload, vars{"input": vars{"name": "a", "contentType": "text/plain", "size": 1 << 20}})
		if err := store.Put(t.Context(), "files/x/original", bytes.NewReader(content), int64(len(content))); !errors.Is(err, blob.ErrFull) {
			t.Errorf("stored: %v", err)
		}
		if err := store.List(t.Context(), blob.Unfinished, func(info blob.Info) error {
			t.Errorf("%s is left", info.Key)
			return nil
		}); err != nil {
			t.Error(err)
		}
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		if status := send(offset, bytes.NewReader(content[offset:])); status != http.StatusNoContent {
			t.Fatalf("with room again: %d", status)
		}
		if got := me.Do(createHeroWith, hero); got.Code() != "BAD_USER_INPUT" || !bytes.Contains([]byte(got.String()), []byte("by its content")) {
			t.Errorf("all has arrived, and is no picture: %s", got)
		}
		me.Must(createHeroWith, vars{"input": vars{"name": "Ada", "photos": vars{"connect": []string{kept}}}})
	})
}
