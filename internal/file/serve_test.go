package file

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"forge/internal/blob"
	"forge/test/bucket"
)

// TestAddresses changes addresses, and uses them late, for another file, and for something else.
func TestAddresses(t *testing.T) {
	t.Parallel()
	s := onFolder(t)
	f, _ := s.store(t, "a.txt", "text/plain", "secret")
	other, up := s.announce(t, "b.txt", "text/plain", 5)
	address := s.address(t, f, nil, Auto)
	for i := len(Path); i < len(address); i++ {
		for _, c := range []byte{'A', '.', '-', address[i] ^ 1} {
			if changed := address[:i] + string(c) + address[i+1:]; changed != address && !strings.ContainsAny(changed[len(Path):], "/?#%") {
				if a := s.ask(t, "GET", changed, nil); a.StatusCode != 403 && a.StatusCode != 404 && a.StatusCode != 400 || strings.Contains(a.body, "secret") {
					t.Fatalf("changed at %d: %s %s", i, a.Status, a.body)
				}
			}
		}
	}
	payload, mac, _ := strings.Cut(strings.TrimPrefix(address, Path), ".")
	otherPayload, _, _ := strings.Cut(strings.TrimPrefix(s.address(t, other, nil, Auto), Path), ".")
	upload := strings.TrimPrefix(up.URL, uploadsPath)
	for name, bad := range map[string]string{
		"no signature": Path + payload, "an empty one": Path + payload + ".", "of another file": Path + otherPayload + "." + mac, "an upload's": Path + upload,
		"a longer one": Path + payload + "." + mac + "A", "padded": Path + payload + "." + mac + "=", "long": Path + strings.Repeat("a", 5000) + "." + mac,
	} {
		if a := s.ask(t, "GET", bad, nil); a.StatusCode != 403 {
			t.Errorf("%s: %s %s", name, a.Status, a.body)
		}
	}
	token := strings.TrimPrefix(address, Path)
	for _, method := range []string{"HEAD", "PATCH", "DELETE"} {
		a := s.ask(t, method, uploadsPath+token, strings.NewReader("xx"), "Tus-Resumable", tusVersion, "Content-Type", tusType, "Upload-Offset", "0")
		if a.StatusCode != 403 {
			t.Errorf("%s with the address of a file: %s", method, a.Status)
		}
	}
	foreign := serve(t, s.o.Storage)
	foreign.reads = newSigner(bytes.Repeat([]byte{8}, 32), reading)
	if a := foreign.ask(t, "GET", address, nil); a.StatusCode != 403 {
		t.Errorf("on a server with another key: %s", a.Status)
	}
	later := serve(t, s.o.Storage)
	later.now = func() time.Time { return time.Now().Add(25 * time.Hour) }
	if a := later.ask(t, "GET", address, nil); a.StatusCode != 403 || !strings.Contains(a.body, "no longer good") {
		t.Errorf("late: %s %s", a.Status, a.body)
	}
	if a := later.patch(t, up, "0", strings.NewReader("hello")); a.StatusCode != 410 {
		t.Errorf("an upload that is late: %s", a.Status)
	}
	if all := s.keys(t); len(all) != 1 {
		t.Errorf("%v is stored", all)
	}
}

// TestPresigned sends to an address of S3 what was not announced, and again after Finish.
func TestPresigned(t *testing.T) {
	t.Parallel()
	s := serve(t, inS3(t, bucket.Start(t).Address))
	f, up := s.announce(t, "a.txt", "text/plain", 5)
	if up.Method != "PUT" {
		t.Fatalf("%+v", up)
	}
	other := strings.Replace(up.URL, f.ID.String(), uuid.NewString(), 1)
	final := strings.Replace(up.URL, uploadKey(f.ID), originalKey(f.ID), 1)
	late := strings.Replace(up.URL, "X-Amz-Expires=86400", "X-Amz-Expires=604800", 1)
	for name, request := range map[string][3]string{
		"more than announced": {"PUT", up.URL, "hello, world"}, "less": {"PUT", up.URL, "hi"}, "another file": {"PUT", other, "hello"}, "the final place": {"PUT", final, "hello"},
		"a longer time": {"PUT", late, "hello"}, "reading": {"GET", up.URL, ""}, "removing": {"DELETE", up.URL, ""},
	} {
		if a := s.ask(t, request[0], request[1], strings.NewReader(request[2])); a.StatusCode != 403 {
			t.Errorf("%s: %s", name, a.Status)
		}
	}
	s.wantNothing(t, "requests that were refused")
	s.send(t, up, "hello")
	facts, err := s.Finish(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	f.ContentType = facts.ContentType
	if a := s.send(t, up, "HELLO"); a.StatusCode != 200 {
		t.Fatal(a.Status)
	}
	if again, err := s.Finish(t.Context(), f); err != nil || again != facts {
		t.Errorf("%+v, %v, want %+v", again, err, facts)
	}
	if a := s.ask(t, "GET", s.address(t, f, nil, Auto), nil); a.body != "hello" {
		t.Errorf("%s %s", a.Status, a.body)
	}
	if n, err := s.SweepUploads(t.Context(), time.Now().Add(time.Minute)); n != 1 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	if a := s.ask(t, "PATCH", uploadsPath+"x", nil); a.StatusCode != 404 && a.StatusCode != 405 {
		t.Errorf("an upload through the server: %s", a.Status)
	}
}

// TestRanges asks for ranges of all kinds.
func TestRanges(t *testing.T) {
	t.Parallel()
	content := strings.Repeat("0123456789", 100)
	thousand := "bytes=0-" + strings.Repeat(",0-", 999)
	pieces := "bytes=0-0"
	for i := range 999 {
		pieces += fmt.Sprintf(",%d-%d", i+1, i+1)
	}
	tests := []struct {
		header string
		status int
		body   string // "" for a body that is not looked at
	}{
		{"bytes=0-9", 206, content[:10]}, {"bytes=990-", 206, content[990:]}, {"bytes=-5", 206, content[995:]}, {"bytes=995-2000", 206, content[995:]},
		{"bytes=1000-", 416, ""}, {"bytes=5-1", 416, ""}, {"bytes=x", 416, ""}, {"lines=1-2", 416, ""}, {"bytes=0-9,20-29", 206, ""},
		{"bytes=0-,0-,0-,0-", 200, content}, {thousand, 416, ""}, {pieces, 416, ""}, {"bytes=18446744073709551616-", 416, ""},
	}
	each(t, func(t *testing.T, s *served) {
		f, _ := s.store(t, "a.txt", "text/plain", content)
		address := s.address(t, f, nil, Auto)
		for _, tt := range tests {
			a := s.ask(t, "GET", address, nil, "Range", tt.header)
			if a.StatusCode != tt.status || tt.body != "" && a.body != tt.body || len(a.body) > 2*len(content) {
				t.Errorf("%.40s: %s, %d bytes; want %d", tt.header, a.Status, len(a.body), tt.status)
			}
		}
	})
}

// TestResized reads pictures in other sizes and formats.
func TestResized(t *testing.T) {
	t.Parallel()
	tests := []struct {
		resize        *Resize
		format        Format
		contentType   string
		width, height int
		disposition   string
	}{
		{&Resize{Width: 30}, Auto, "image/jpeg", 30, 20, `inline; filename="a.jpg"`},
		{&Resize{Width: 30}, PNG, "image/png", 30, 20, `inline; filename="a.png"`},
		{&Resize{Width: 10, Height: 10, Fit: Cover}, JPEG, "image/jpeg", 10, 10, `inline; filename="a.jpg"`},
		{&Resize{Width: 10, Height: 10, Fit: Contain}, JPEG, "image/jpeg", 10, 7, `inline; filename="a.jpg"`},
		{nil, PNG, "image/png", 60, 40, `inline; filename="a.png"`},
		{&Resize{Width: 4000, Height: 4000}, Auto, "image/jpeg", 60, 40, `inline; filename="a.jpg"`},
	}
	each(t, func(t *testing.T, s *served) {
		f, _ := s.store(t, "a.jpeg", "image/jpeg", pictureJPEG(t, 60, 40))
		for range 2 { // made, and as it was stored
			for _, tt := range tests {
				a := s.ask(t, "GET", s.address(t, f, tt.resize, tt.format), nil)
				config, _, err := image.DecodeConfig(strings.NewReader(a.body))
				if err != nil || config.Width != tt.width || config.Height != tt.height || a.Header.Get("Content-Type") != tt.contentType ||
					!strings.HasPrefix(a.Header.Get("Content-Disposition"), tt.disposition+";") || a.Header.Get("ETag") == `"`+f.ID.String()+`"` {
					t.Errorf("%+v %s: %s %v, %+v, %v", tt.resize, tt.format, a.Status, a.Header, config, err)
				}
			}
		}
		if all := s.keys(t); len(all) != 1+len(tests) {
			t.Errorf("%v is stored", all)
		}
		if err := s.Remove(t.Context(), f.ID); err != nil {
			t.Fatal(err)
		}
		s.wantNothing(t, "the removal")
	})
}

// TestManySizes asks for more sizes of a picture than are kept. The newest are: nobody can fill the
// places for good with sizes that no page shows.
func TestManySizes(t *testing.T) {
	t.Parallel()
	s := onFolder(t)
	f, _ := s.store(t, "a.png", "image/png", picturePNG(t, 60, 40))
	for width := range 2 * maxVariants {
		if a := s.ask(t, "GET", s.address(t, f, &Resize{Width: width + 1}, Auto), nil); a.StatusCode != 200 {
			t.Fatal(a.Status)
		}
		if all := s.keys(t); !slices.ContainsFunc(all, func(key string) bool { return strings.Contains(key, fmt.Sprintf("/%dx0-", width+1)) }) {
			t.Fatalf("size %d is not kept", width+1)
		}
	}
	if all := s.keys(t); len(all) != 1+maxVariants {
		t.Errorf("%d are stored", len(all))
	}
}

// TestLargeSizes asks for more sizes of a picture than there is room for. The newest one is kept,
// however large it is.
func TestLargeSizes(t *testing.T) {
	t.Parallel()
	s := onFolder(t)
	f, _ := s.store(t, "a.png", "image/png", picturePNG(t, 60, 40))
	size := func(width int) string {
		t.Helper()
		if a := s.ask(t, "GET", s.address(t, f, &Resize{Width: width}, Auto), nil); a.StatusCode != 200 {
			t.Fatal(a.Status)
		}
		return fmt.Sprintf("%v", s.keys(t))
	}
	size(10)
	size(11)
	s.variantBytes = 1
	if all := size(12); strings.Contains(all, "/10x0-") || strings.Contains(all, "/11x0-") || !strings.Contains(all, "/12x0-") {
		t.Errorf("%s are stored", all)
	}
}

// TestLeft asks for pictures, and leaves while they wait to be made. They do not pile up.
func TestLeft(t *testing.T) {
	t.Parallel()
	s := onFolder(t)
	f, _ := s.store(t, "a.png", "image/png", picturePNG(t, 60, 40))
	for range cap(s.makers) {
		s.makers <- struct{}{}
	}
	if a := s.ask(t, "GET", s.address(t, f, &Resize{Width: 5}, Auto), nil); a.StatusCode != 503 || a.Header.Get("Retry-After") == "" {
		t.Errorf("%s", a.Status)
	}
	<-s.makers
	if a := s.ask(t, "GET", s.address(t, f, &Resize{Width: 5}, Auto), nil); a.StatusCode != 200 || len(s.makers) != cap(s.makers)-1 {
		t.Errorf("%s", a.Status)
	}
}

// TestVariantsInMemory has the storage take no picture that was made. A large one is not sent from
// memory, which slow clients would hold.
func TestVariantsInMemory(t *testing.T) {
	t.Parallel()
	s := onFolder(t)
	s.o.MaxBytes = 10 << 20
	noise := image.NewNRGBA(image.Rect(0, 0, 1000, 800))
	rand.Read(noise.Pix)
	var b bytes.Buffer
	if err := png.Encode(&b, noise); err != nil {
		t.Fatal(err)
	}
	f, _ := s.store(t, "a.png", "image/png", b.String())
	s.o.Storage = noVariants{s.o.Storage}
	for width, want := range map[int]int{20: 200, 999: 503} {
		if a := s.ask(t, "GET", s.address(t, f, &Resize{Width: width}, Auto), nil); a.StatusCode != want {
			t.Errorf("%d pixels: %s, want %d", width, a.Status, want)
		}
	}
}

// noVariants is a storage that takes nothing more.
type noVariants struct{ blob.Storage }

func (noVariants) Put(context.Context, string, io.Reader, int64) error { return blob.ErrFull }

// TestPanics has a panic come while a file is looked at, and while a picture is made from it. It
// ends neither the program nor what others need.
func TestPanics(t *testing.T) {
	t.Parallel()
	s := onFolder(t)
	f, _ := s.store(t, "a.png", "image/png", picturePNG(t, 60, 40))
	whole := s.o.Storage
	s.o.Storage = panicking{whole}
	if _, err := s.Finish(t.Context(), f); !errors.Is(err, ErrUnavailable) {
		t.Error(err)
	}
	address := s.address(t, f, &Resize{Width: 5}, Auto)
	if a := s.ask(t, "GET", address, nil); a.StatusCode != 503 || strings.Contains(a.body, "a bug") || !strings.Contains(s.log.String(), "a bug") {
		t.Errorf("%s %s; logged: %s", a.Status, a.body, s.log)
	}
	s.o.Storage = whole
	if a := s.ask(t, "GET", address, nil); a.StatusCode != 200 || len(s.makers) > 0 {
		t.Error(a.Status)
	}
}

// panicking is a storage of files whose reading panics.
type panicking struct{ blob.Storage }

type panickingObject struct{ blob.Object }

func (panickingObject) Read([]byte) (int, error) { panic("a bug") }

func (p panicking) Open(ctx context.Context, key string) (blob.Object, error) {
	object, err := p.Storage.Open(ctx, key)
	return panickingObject{object}, err
}

// TestURL asks for addresses that cannot be had, and for equal ones.
func TestURL(t *testing.T) {
	t.Parallel()
	s := onFolder(t)
	s.o.Origin = "https://files.example.com"
	png, text := File{ID: uuid.New(), ContentType: "image/png"}, File{ID: uuid.New(), ContentType: "text/plain"}
	tests := []struct {
		file    File
		expires time.Duration
		resize  *Resize
		format  Format
		want    error
	}{
		{png, time.Hour, nil, Auto, nil}, {png, MaxExpires, &Resize{Height: MaxSide}, PNG, nil},
		{png, 0, nil, Auto, ErrExpires}, {png, -time.Hour, nil, Auto, ErrExpires}, {png, MaxExpires + 1, nil, Auto, ErrExpires},
		{png, time.Hour, &Resize{}, Auto, ErrResize}, {png, time.Hour, &Resize{Width: -1, Height: 5}, Auto, ErrResize},
		{png, time.Hour, &Resize{Width: MaxSide + 1}, Auto, ErrResize}, {png, time.Hour, &Resize{Width: 1, Fit: "x"}, Auto, ErrResize},
		{png, time.Hour, nil, "x", ErrResize}, {text, time.Hour, &Resize{Width: 1}, Auto, ErrNoPicture}, {text, time.Hour, nil, PNG, ErrNoPicture},
	}
	for _, tt := range tests {
		address, err := s.URL(tt.file, tt.expires, tt.resize, tt.format)
		if !errors.Is(err, tt.want) || (err == nil) != strings.HasPrefix(address, "https://files.example.com/files/") {
			t.Errorf("%s, %+v, %q: %s, %v; want %v", tt.expires, tt.resize, tt.format, address, err, tt.want)
		}
	}
	noon := time.Date(2026, 11, 30, 12, 0, 1, 0, time.UTC)
	seen := map[string]bool{}
	for minute := range 60 {
		now := noon.Add(time.Duration(minute) * time.Minute)
		s.now = func() time.Time { return now }
		address := s.address(t, png, nil, Auto)
		c, err := s.reads.verify(address[strings.LastIndex(address, "/")+1:])
		if left := c.expires().Sub(now); err != nil || left < time.Hour || left > 90*time.Minute {
			t.Errorf("%s are left, %v", left, err)
		}
		seen[address] = true
	}
	if len(seen) != 2 {
		t.Errorf("%d addresses in an hour", len(seen))
	}
}

// TestAway has the storage end. All say so soon, and a file is not taken for gone.
func TestAway(t *testing.T) {
	t.Parallel()
	server := bucket.Start(t)
	s := serve(t, inS3(t, server.Address))
	f, _ := s.store(t, "a.png", "image/png", picturePNG(t, 4, 4))
	waiting, up := s.announce(t, "b.txt", "text/plain", 2)
	s.send(t, up, "hi")
	server.Stop()
	_, finish := s.Finish(t.Context(), waiting)
	_, again := s.Finish(t.Context(), f)
	_, store := s.Store(t.Context(), f, strings.NewReader("x"))
	_, has := s.Has(t.Context(), f.ID)
	for i, err := range []error{finish, again, store, has, s.Remove(t.Context(), f.ID)} {
		if i != 2 && !errors.Is(err, ErrUnavailable) || i == 2 && err == nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	for _, resize := range []*Resize{nil, {Width: 2}} {
		a := s.ask(t, "GET", s.address(t, f, resize, Auto), nil)
		if a.StatusCode != 503 || a.Header.Get("Retry-After") == "" || strings.Contains(a.body, "127.0.0.1") {
			t.Errorf("%s %s", a.Status, a.body)
		}
	}
	secret := server.Address[strings.LastIndex(server.Address[:strings.Index(server.Address, "@")], ":")+1 : strings.Index(server.Address, "@")]
	if !strings.Contains(s.log.String(), "storage of files does not work") || strings.Contains(s.log.String(), secret) {
		t.Errorf("logged: %s", s.log)
	}
}

// TestBusy asks for more files at once than are sent at once.
func TestBusy(t *testing.T) {
	t.Parallel()
	s := onFolder(t)
	f, _ := s.store(t, "a.txt", "text/plain", "text")
	for range cap(s.transfers) {
		s.transfers <- struct{}{}
	}
	if a := s.ask(t, "GET", s.address(t, f, nil, Auto), nil); a.StatusCode != 503 || a.Header.Get("Retry-After") == "" {
		t.Errorf("%s", a.Status)
	}
	<-s.transfers
	if a := s.ask(t, "GET", s.address(t, f, nil, Auto), nil); a.StatusCode != 200 {
		t.Errorf("%s", a.Status)
	}
}

// TestBusyWithOne has a client hold as many places as it may. There are places for another one.
func TestBusyWithOne(t *testing.T) {
	t.Parallel()
	s := onFolder(t)
	s.o.Client = func(r *http.Request) string { return r.UserAgent() }
	f, _ := s.store(t, "a.txt", "text/plain", "text")
	for s.enter("slow") {
	}
	for client, want := range map[string]int{"slow": 503, "other": 200} {
		if a := s.ask(t, "GET", s.address(t, f, nil, Auto), nil, "User-Agent", client); a.StatusCode != want {
			t.Errorf("%s: %s, want %d", client, a.Status, want)
		}
	}
	for s.shares["slow"] > 0 {
		s.leave("slow")
	}
	if len(s.shares) > 0 || len(s.transfers) > 0 {
		t.Errorf("%v and %d are left", s.shares, len(s.transfers))
	}
}

// TestPaths asks for paths that lead out of the folder.
func TestPaths(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/outside", []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, blob.NewFolder(dir+"/files"))
	for _, path := range []string{"/files/../outside", "/files/..%2foutside", "/files/%2e%2e/outside", "/files/a/../../outside", "/files//etc/passwd", "/files/", "/files", "/files/\x00", "/files/uploads/..%2f..%2foutside"} {
		w := httptest.NewRecorder()
		r := &http.Request{Method: "GET", Host: "x", Header: http.Header{}}
		r.URL = &url.URL{Path: path}
		if decoded, err := url.PathUnescape(path); err == nil {
			r.URL = &url.URL{Path: decoded, RawPath: path}
		}
		s.Handler().ServeHTTP(w, r)
		if w.Code < 300 || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// TestLinks puts links, a folder and a pipe into the place of a file. None is followed or opened.
func TestLinks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := serve(t, blob.NewFolder(dir+"/files"))
	if err := os.WriteFile(dir+"/outside", []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, _ := s.store(t, "a.txt", "text/plain", "text")
	place := filepath.Join(dir, "files", filepath.FromSlash(originalKey(f.ID)))
	inside := place + "-inside"
	if err := os.Rename(place, inside); err != nil {
		t.Fatal(err)
	}
	for name, put := range map[string]func() error{
		"a link out":    func() error { return os.Symlink(dir+"/outside", place) },
		"a link inside": func() error { return os.Symlink("original-inside", place) },
		"a folder":      func() error { return os.Mkdir(place, 0o700) },
	} {
		if err := put(); err != nil {
			t.Fatal(err)
		}
		if a := s.ask(t, "GET", s.address(t, f, nil, Auto), nil); a.StatusCode != 404 {
			t.Errorf("%s: %s %s", name, a.Status, a.body)
		}
		if err := os.Remove(place); err != nil {
			t.Fatal(err)
		}
	}
	// The folder of the file itself leads elsewhere.
	folder := filepath.Dir(place)
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dir, folder); err != nil {
		t.Fatal(err)
	}
	_ = os.Rename(dir+"/outside", dir+"/original")
	if a := s.ask(t, "GET", s.address(t, f, nil, Auto), nil); strings.Contains(a.body, "secret") {
		t.Errorf("%s %s", a.Status, a.body)
	}
}
