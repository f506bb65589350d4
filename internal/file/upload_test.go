package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"forge/internal/blob"
)

const (
	tusType    = "application/offset+octet-stream"
	tusVersion = "1.0.0"
)

// patch sends a part of an upload. No connection is used again, because the server closes one if it
// has not read all of a part.
func (s *served) patch(t testing.TB, up Upload, offset string, body io.Reader) answer {
	t.Helper()
	return s.ask(t, "PATCH", up.URL, body, "Tus-Resumable", tusVersion, "Content-Type", tusType, "Upload-Offset", offset, "Connection", "close")
}

func (s *served) wantOffset(t testing.TB, up Upload, want string) {
	t.Helper()
	a := s.ask(t, "HEAD", up.URL, nil, "Tus-Resumable", tusVersion)
	if got := a.Header.Get("Upload-Offset"); a.StatusCode != 200 || got != want {
		t.Errorf("%s has %s bytes, want %s", a.Status, got, want)
	}
}

func onFolder(t testing.TB) *served { return serve(t, blob.NewFolder(t.TempDir()+"/files")) }

// cut sends the beginning of an upload, and ends the connection. It returns when the server has
// noticed.
func (s *served) cut(t testing.TB, up Upload, part string, whole int) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	request := fmt.Sprintf("PATCH %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n", up.URL, whole)
	for _, h := range up.Headers {
		request += h.Name + ": " + h.Value + "\r\n"
	}
	if _, err := io.WriteString(conn, request+"\r\n"+part); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, conn) // until the answer has ended
}

// TestResume uploads a file in parts, with cuts, and with parts that do not fit.
func TestResume(t *testing.T) {
	t.Parallel()
	s := onFolder(t)
	content := strings.Repeat("0123456789", 10)
	f, up := s.announce(t, "a.txt", "text/plain", len(content))
	s.wantOffset(t, up, "0")
	if _, err := s.Finish(t.Context(), f); !errors.Is(err, ErrMissing) {
		t.Errorf("nothing yet: %v", err)
	}
	// The client is cut off after 40 bytes.
	s.cut(t, up, content[:40], len(content))
	s.wantOffset(t, up, "40")
	if _, err := s.Finish(t.Context(), f); !errors.Is(err, ErrMissing) {
		t.Errorf("a half: %v", err)
	}
	if a := s.patch(t, up, "10", strings.NewReader(content[10:])); a.StatusCode != 409 {
		t.Errorf("from another place: %s", a.Status)
	}
	if a := s.patch(t, up, "40", strings.NewReader(content[40:]+"more")); a.StatusCode != 413 {
		t.Errorf("more than announced: %s", a.Status)
	}
	s.wantOffset(t, up, "40")
	// The length is not known before: nothing says that there is more than was announced.
	if a := s.patch(t, up, "40", struct{ io.Reader }{strings.NewReader(content[40:] + "more")}); a.StatusCode != 413 {
		t.Errorf("more than announced, without a length: %s", a.Status)
	}
	s.wantOffset(t, up, "100")
	if a := s.patch(t, up, "100", strings.NewReader("more")); a.StatusCode != 204 || a.Header.Get("Upload-Offset") != "100" {
		t.Errorf("after the end: %s", a.Status)
	}
	if facts, err := s.Finish(t.Context(), f); err != nil || facts.Size != 100 {
		t.Fatal(facts, err)
	}
	s.wantOffset(t, up, "100")
	if a := s.patch(t, up, "0", strings.NewReader("another text")); a.StatusCode != 409 {
		t.Errorf("after it was finished: %s", a.Status)
	}
	s.ask(t, "DELETE", up.URL, nil, "Tus-Resumable", tusVersion)
	if a := s.ask(t, "GET", s.address(t, f, nil, Auto), nil); a.body != content {
		t.Errorf("%s %q", a.Status, a.body)
	}
}

// TestUploadRequests sends what is no part of an upload.
func TestUploadRequests(t *testing.T) {
	t.Parallel()
	s := onFolder(t)
	f, up := s.announce(t, "a.txt", "text/plain", 10)
	tests := []struct {
		method  string
		headers []string
		want    int
	}{
		{"PATCH", nil, 412},
		{"PATCH", []string{"Tus-Resumable", tusVersion}, 400},
		{"PATCH", []string{"Tus-Resumable", tusVersion, "Content-Type", tusType}, 400},
		{"PATCH", []string{"Tus-Resumable", tusVersion, "Content-Type", tusType, "Upload-Offset", "-1"}, 400},
		{"PATCH", []string{"Tus-Resumable", tusVersion, "Content-Type", tusType, "Upload-Offset", "9999999999999999999"}, 400},
		{"PATCH", []string{"Tus-Resumable", tusVersion, "Content-Type", tusType, "Upload-Offset", "5"}, 409},
		{"PATCH", []string{"Tus-Resumable", tusVersion, "Content-Type", tusType, "Upload-Offset", "0", "Upload-Length", "1000000000000"}, 501},
		{"POST", []string{"Tus-Resumable", tusVersion, "Upload-Length", "10"}, 405},
		{"POST", []string{"Tus-Resumable", tusVersion, "X-HTTP-Method-Override", "DELETE"}, 405},
		{"GET", nil, 405},
		{"PUT", nil, 405},
	}
	for _, tt := range tests {
		if a := s.ask(t, tt.method, up.URL, strings.NewReader("0123456789"), tt.headers...); a.StatusCode != tt.want {
			t.Errorf("%s %v: %s %s, want %d", tt.method, tt.headers, a.Status, a.body, tt.want)
		}
	}
	if a := s.ask(t, "POST", uploadsPath, nil, "Tus-Resumable", tusVersion, "Upload-Length", "10"); a.StatusCode != 404 && a.StatusCode != 405 {
		t.Errorf("an upload that nobody announced: %s", a.Status)
	}
	s.wantNothing(t, "requests that were refused")
	s.patch(t, up, "0", strings.NewReader("01234"))
	if a := s.ask(t, "DELETE", up.URL, nil, "Tus-Resumable", tusVersion); a.StatusCode != 204 {
		t.Errorf("given up: %s", a.Status)
	}
	s.wantNothing(t, "an upload that was given up")
	if _, err := s.Finish(t.Context(), f); !errors.Is(err, ErrMissing) {
		t.Error(err)
	}
}

// TestUploadsAtOnce sends parts of one upload at once, each from the beginning. One of them counts
// at a time, so that the file is one of them or made of several, and never longer than was
// announced.
func TestUploadsAtOnce(t *testing.T) {
	t.Parallel()
	s := onFolder(t)
	const size = 1 << 18
	f, up := s.announce(t, "a.bin", "x", size)
	if strings.HasPrefix(up.URL, "/") {
		up.URL = s.url + up.URL
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			r, _ := http.NewRequestWithContext(t.Context(), "PATCH", up.URL, bytes.NewReader(bytes.Repeat([]byte{byte('a' + i)}, size)))
			for name, value := range map[string]string{"Tus-Resumable": tusVersion, "Content-Type": tusType, "Upload-Offset": "0", "Connection": "close"} {
				r.Header.Set(name, value)
			}
			a, err := http.DefaultClient.Do(r)
			if err != nil {
				return // refused before all of it was sent
			}
			defer a.Body.Close()
			if a.StatusCode != 204 && a.StatusCode != 409 && a.StatusCode != 400 {
				t.Error(a.Status)
			}
		})
	}
	all.Wait()
	offset := s.ask(t, "HEAD", up.URL, nil).Header.Get("Upload-Offset")
	var n int
	_, _ = fmt.Sscan(offset, &n)
	if n < size {
		s.patch(t, up, offset, bytes.NewReader(bytes.Repeat([]byte{'z'}, size-n)))
	}
	facts, err := s.Finish(t.Context(), f)
	if err != nil || facts.Size != size {
		t.Errorf("%+v, %v", facts, err)
	}
}

// TestFinishAtOnce finishes an upload many times at once. All get the same.
func TestFinishAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *served) {
		content := picturePNG(t, 50, 50)
		f, up := s.announce(t, "a.png", "image/png", len(content))
		s.send(t, up, content)
		var all sync.WaitGroup
		var mu sync.Mutex
		seen := map[Facts]int{}
		for range 8 {
			all.Go(func() {
				facts, err := s.Finish(t.Context(), f)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				seen[facts]++
			})
		}
		all.Wait()
		if len(seen) != 1 {
			t.Errorf("%v", seen)
		}
		if all := s.keys(t); len(all) != 1 {
			t.Errorf("%v is stored", all)
		}
	})
}

// between is a folder in which something happens before the upload of a file is opened.
type between struct {
	*blob.Folder
	do func(key string)
}

func (b *between) Open(ctx context.Context, key string) (blob.Object, error) {
	b.do(key)
	return b.Folder.Open(ctx, key)
}

// TestFinishBetween has another server finish an upload while this one is about to.
func TestFinishBetween(t *testing.T) {
	t.Parallel()
	other := onFolder(t)
	f, up := other.announce(t, "a.txt", "text/plain", 4)
	other.send(t, up, "text")
	var facts Facts
	s := serve(t, &between{other.o.Storage.(*blob.Folder), func(key string) {
		if key == uploadKey(f.ID) {
			facts, _ = other.Finish(t.Context(), f)
		}
	}})
	if got, err := s.Finish(t.Context(), f); err != nil || got != facts || got.Size != 4 {
		t.Errorf("%+v, %v, want %+v", got, err, facts)
	}
}

// TestLocked has a request hold an upload that does not let go: others give up.
func TestLocked(t *testing.T) {
	t.Parallel()
	s := onFolder(t)
	f, up := s.announce(t, "a.txt", "text/plain", 4)
	s.send(t, up, "text")
	unlock, err := s.lock(t.Context(), f.ID)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // so that the test need not wait as long as clients do
	if _, err := s.lock(ctx, f.ID); !errors.Is(err, ErrBusy) {
		t.Errorf("locked twice: %v", err)
	}
	unlock()
	if facts, err := s.Finish(t.Context(), f); err != nil || facts.Size != 4 {
		t.Error(facts, err)
	}
}

// TestSlow ends uploads that send nearly nothing.
func TestSlow(t *testing.T) {
	t.Parallel()
	for taken, want := range map[time.Duration]error{0: nil, rateAfter / 2: nil, 2 * rateAfter: errSlow} {
		p := &pacedReader{r: zeros{}, start: time.Now().Add(-taken)}
		if _, err := p.Read(make([]byte, 100)); !errors.Is(err, want) {
			t.Errorf("after %s: %v, want %v", taken, err, want)
		}
	}
	fast := &pacedReader{r: zeros{}, start: time.Now().Add(-2 * rateAfter)}
	if _, err := fast.Read(make([]byte, 3*leastRate*120)); err != nil {
		t.Error(err)
	}
}

// fullDisk is a folder whose disk is full after some bytes.
type fullDisk struct {
	*blob.Folder
	room atomic.Int64
}

func (d *fullDisk) Append(ctx context.Context, key string, offset int64, r io.Reader) (int64, error) {
	n, err := d.Folder.Append(ctx, key, offset, io.LimitReader(r, d.room.Load()))
	if d.room.Add(-n) <= 0 && err == nil {
		err = fmt.Errorf("%w: %w", blob.ErrFull, syscall.ENOSPC)
	}
	return n, err
}

func (d *fullDisk) Put(context.Context, string, io.Reader, int64) error { return blob.ErrFull }

// TestFull fills the disk during an upload. What has arrived stays, and the upload goes on once
// there is room. Without room, nothing is announced, and files are still served.
func TestFull(t *testing.T) {
	t.Parallel()
	disk := &fullDisk{Folder: blob.NewFolder(t.TempDir() + "/files")}
	disk.room.Store(5)
	s := serve(t, disk)
	content := pictureJPEG(t, 64, 64)
	f, up := s.announce(t, "a.jpg", "image/jpeg", len(content))
	if a := s.send(t, up, content); a.StatusCode != 507 || !strings.Contains(a.body, "ERR_STORAGE_FULL") || strings.Contains(a.body, "device") {
		t.Errorf("%s %s", a.Status, a.body)
	}
	if !strings.Contains(s.log.String(), "no space left on device") || strings.Contains(s.log.String(), up.URL) {
		t.Errorf("logged: %s", s.log)
	}
	s.wantOffset(t, up, "5")
	disk.room.Store(1 << 20)
	if a := s.patch(t, up, "5", strings.NewReader(content[5:])); a.StatusCode != 204 {
		t.Errorf("with room again: %s", a.Status)
	}
	facts, err := s.Finish(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	f.ContentType = facts.ContentType
	// A smaller picture cannot be stored, and is sent nevertheless.
	if a := s.ask(t, "GET", s.address(t, f, &Resize{Width: 10}, Auto), nil); a.StatusCode != 200 || a.Header.Get("Content-Type") != "image/jpeg" {
		t.Errorf("resized: %s", a.Status)
	}
	if _, err := s.Store(t.Context(), f, strings.NewReader(content)); !errors.Is(err, ErrUnavailable) || !errors.Is(err, ErrFull) {
		t.Errorf("stored: %v", err)
	}
}

// TestNoRoom announces a file for which there is no room.
func TestNoRoom(t *testing.T) {
	t.Parallel()
	s := serve(t, noRoom{blob.NewFolder(t.TempDir())})
	if _, err := s.Announce(t.Context(), File{Name: "a", Size: 100}); !errors.Is(err, ErrUnavailable) || !errors.Is(err, ErrFull) {
		t.Errorf("%v", err)
	}
	if _, err := s.Announce(t.Context(), File{Name: "a", Size: 10}); err != nil {
		t.Errorf("%v", err)
	}
}

type noRoom struct{ *blob.Folder }

func (noRoom) Free(context.Context) (uint64, bool, error) { return 10, true, nil }
