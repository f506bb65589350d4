package file

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"forge/internal/blob"
	"forge/test/bucket"
)

const (
	maxBytes  = 1 << 20
	maxPixels = 1_000_000
)

// served is a service with a server of HTTP, and the log of both.
type served struct {
	*Service
	url string
	log *strings.Builder
}

func serve(t testing.TB, storage blob.Storage) *served {
	t.Helper()
	log := new(strings.Builder)
	s := New(Options{Storage: storage, Key: bytes.Repeat([]byte{7}, 32), MaxBytes: maxBytes, MaxPixels: maxPixels, Transfers: 20,
		Log: slog.New(slog.NewTextHandler(log, nil))})
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	return &served{s, server.URL, log}
}

// each runs a test on a folder and on S3.
func each(t *testing.T, test func(t *testing.T, s *served)) {
	t.Helper()
	t.Run("folder", func(t *testing.T) {
		t.Parallel()
		test(t, serve(t, blob.NewFolder(t.TempDir()+"/files")))
	})
	t.Run("s3", func(t *testing.T) {
		t.Parallel()
		test(t, serve(t, inS3(t, bucket.Start(t).Address)))
	})
}

func inS3(t testing.TB, address string) *blob.S3 {
	t.Helper()
	storage, err := blob.NewS3(address)
	if err != nil {
		t.Fatal(err)
	}
	return storage
}

// answer is the answer to a request, read to its end.
type answer struct {
	*http.Response
	body string
}

// ask sends a request. An address without a host is one of the server's. headers are names and
// values.
func (s *served) ask(t testing.TB, method, address string, body io.Reader, headers ...string) answer {
	t.Helper()
	if strings.HasPrefix(address, "/") {
		address = s.url + address
	}
	r, err := http.NewRequestWithContext(t.Context(), method, address, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response, string(b)}
}

// announce announces a file of so many bytes.
func (s *served) announce(t testing.TB, name, contentType string, size int) (File, Upload) {
	t.Helper()
	f := File{ID: uuid.New(), Name: name, ContentType: contentType, Size: int64(size)}
	up, err := s.Announce(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return f, up
}

// send sends bytes as an upload says.
func (s *served) send(t testing.TB, up Upload, content string) answer {
	t.Helper()
	var headers []string
	for _, h := range up.Headers {
		headers = append(headers, h.Name, h.Value)
	}
	return s.ask(t, up.Method, up.URL, strings.NewReader(content), headers...)
}

// store stores a file as a client does.
func (s *served) store(t testing.TB, name, contentType, content string) (File, Facts) {
	t.Helper()
	f, up := s.announce(t, name, contentType, len(content))
	if a := s.send(t, up, content); a.StatusCode/100 != 2 {
		t.Fatalf("the upload: %s %s", a.Status, a.body)
	}
	facts, err := s.Finish(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	f.ContentType = facts.ContentType
	return f, facts
}

// address returns an address of a file, which is good for an hour.
func (s *served) address(t testing.TB, f File, resize *Resize, format Format) string {
	t.Helper()
	address, err := s.URL(f, time.Hour, resize, format)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// keys returns all that is stored.
func (s *served) keys(t testing.TB) (all []string) {
	t.Helper()
	for _, prefix := range []string{filesPrefix, uploadsPrefix, blob.Unfinished, "checks/"} {
		err := s.o.Storage.List(t.Context(), prefix, func(info blob.Info) error {
			all = append(all, info.Key)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func (s *served) wantNothing(t testing.TB, after string) {
	t.Helper()
	if all := s.keys(t); len(all) > 0 {
		t.Errorf("after %s there is %v", after, all)
	}
}

func picturePNG(t testing.TB, w, h int) string {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = uint8(i * 7)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func pictureJPEG(t testing.TB, w, h int) string {
	t.Helper()
	var b bytes.Buffer
	img := image.NewGray(image.Rect(0, 0, w, h))
	img.SetGray(w/2, h/2, color.Gray{200})
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestFile stores a picture, reads it in all ways, and removes it.
func TestFile(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *served) {
		content := picturePNG(t, 60, 40)
		f, facts := s.store(t, "Ein Bild.png", "image/png", content)
		if facts.ContentType != "image/png" || facts.Size != int64(len(content)) || facts.Width != 60 || facts.Height != 40 || facts.Blurhash == "" || facts.ETag == "" {
			t.Errorf("%+v", facts)
		}
		f.ContentType = "text/plain" // announced: what was found does not depend on it
		if again, err := s.Finish(t.Context(), f); err != nil || again != facts {
			t.Errorf("finished again: %+v, %v, want %+v", again, err, facts)
		}
		f.ContentType = facts.ContentType
		if has, err := s.Has(t.Context(), f.ID); !has || err != nil {
			t.Errorf("has: %t, %v", has, err)
		}
		address := s.address(t, f, nil, Auto)
		a := s.ask(t, "GET", address, nil)
		want := http.Header{
			"Content-Type": {"image/png"}, "Content-Length": {strconv.Itoa(len(content))}, "Accept-Ranges": {"bytes"},
			"Content-Disposition": {`inline; filename="Ein Bild.png"; filename*=UTF-8''Ein%20Bild.png`}, "X-Content-Type-Options": {"nosniff"},
			"Content-Security-Policy":      {"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"},
			"Cross-Origin-Resource-Policy": {"same-site"}, "Referrer-Policy": {"no-referrer"}, "Etag": {`"` + f.ID.String() + `"`},
		}
		for name, values := range want {
			if a.Header.Get(name) != values[0] {
				t.Errorf("%s: %q, want %q", name, a.Header.Get(name), values[0])
			}
		}
		if kept := a.Header.Get("Cache-Control"); a.StatusCode != 200 || a.body != content || !strings.HasPrefix(kept, "private, max-age=") || !strings.HasSuffix(kept, ", immutable") {
			t.Errorf("%s, %d bytes, %s", a.Status, len(a.body), kept)
		}
		if a := s.ask(t, "HEAD", address, nil); a.StatusCode != 200 || a.body != "" || a.ContentLength != int64(len(content)) {
			t.Errorf("HEAD: %s, %d", a.Status, a.ContentLength)
		}
		if a := s.ask(t, "GET", address, nil, "If-None-Match", a.Header.Get("ETag")); a.StatusCode != 304 || a.body != "" {
			t.Errorf("asked again: %s", a.Status)
		}
		if a := s.ask(t, "GET", address, nil, "Range", "bytes=10-19"); a.StatusCode != 206 || a.body != content[10:20] {
			t.Errorf("a range: %s %q", a.Status, a.body)
		}
		if a := s.ask(t, "POST", address, nil); a.StatusCode != 405 {
			t.Errorf("POST: %s", a.Status)
		}
		for range 2 {
			if err := s.Remove(t.Context(), f.ID); err != nil {
				t.Fatal(err)
			}
		}
		if a := s.ask(t, "GET", address, nil); a.StatusCode != 404 {
			t.Errorf("removed: %s", a.Status)
		}
		if _, err := s.Finish(t.Context(), f); !errors.Is(err, ErrMissing) {
			t.Errorf("removed: %v", err)
		}
		s.wantNothing(t, "the removal")
		if s.log.Len() > 0 {
			t.Errorf("logged: %s", s.log)
		}
	})
}

// TestTypes stores files that are not what their names and announced types say. What is sent has
// the type of the bytes, and a browser runs none of it.
func TestTypes(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, announced, content, contentType, disposition string }{
		{"a.png", "image/png", "<!DOCTYPE html><script>alert(1)</script>", "text/html", `attachment; filename="a.png"`},
		{"a.png", "image/png", "<script>alert(1)</script>", "text/html", `attachment; filename="a.png"`},
		{"a.svg", "image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`, "image/svg+xml", `attachment; filename="a.svg"`},
		{"a.js", "application/javascript", "alert(1)", "text/plain", `attachment; filename="a.js"`},
		{"a.jpg", "image/jpeg", `<?xml version="1.0"?><x/>`, "text/xml", `attachment; filename="a.jpg"`},
		{"a.csv", "text/csv", "a note without commas", "text/csv", `attachment; filename="a.csv"`},
		{"a.html", "text/html", "plain text", "text/plain", `attachment; filename="a.html"`},
		{"a.pdf", "application/pdf", "%PDF-1.4\n%", "application/pdf", `attachment; filename="a.pdf"`},
		{"a.exe", "image/png", "MZ\x90\x00", "application/octet-stream", `attachment; filename="a.exe"`},
		{"evil.html", "text/html", picturePNG(t, 2, 2), "image/png", `inline; filename="evil.html.png"`},
		{"EVIL.PNG", "text/html", picturePNG(t, 2, 2), "image/png", `inline; filename="EVIL.PNG"`},
		{"a", "x", "\x00\x01\x02", "application/octet-stream", `attachment; filename="a"`},
	}
	each(t, func(t *testing.T, s *served) {
		for _, tt := range tests {
			f, facts := s.store(t, tt.name, tt.announced, tt.content)
			a := s.ask(t, "GET", s.address(t, f, nil, Auto), nil)
			if strings.HasPrefix(tt.content, "MZ") {
				tt.contentType = facts.ContentType // what it is called does not matter
			}
			if facts.ContentType != tt.contentType || a.Header.Get("Content-Type") != tt.contentType || !strings.HasPrefix(a.Header.Get("Content-Disposition"), tt.disposition+";") ||
				a.Header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(a.Header.Get("Content-Security-Policy"), "sandbox") || a.body != tt.content {
				t.Errorf("%s of %.20q: found %s, sent %v", tt.name, tt.content, facts.ContentType, a.Header)
			}
		}
	})
}

// TestScripts uploads scripts. No page can run them, also if its policy allows the scripts of its
// own origin.
func TestScripts(t *testing.T) {
	t.Parallel()
	s := onFolder(t)
	for _, content := range []string{"#!/usr/bin/env node\nalert(1)", "#!/usr/bin/node\nalert(1)", "\x00asm\x01\x00\x00\x00", "/* a */ alert(1)", "body { color: red }"} {
		f, _ := s.store(t, "a.js", "text/javascript", content)
		a := s.ask(t, "GET", s.address(t, f, nil, Auto), nil)
		if sent := a.Header.Get("Content-Type"); sent != "application/octet-stream" && sent != "text/plain" {
			t.Errorf("%q is sent as %s", content, sent)
		}
	}
}

// TestRefused uploads what cannot be: nothing is left behind.
func TestRefused(t *testing.T) {
	t.Parallel()
	whole := picturePNG(t, 60, 40)
	tests := []struct {
		name, content string
		want          error
	}{
		{"a bomb", bomb, ErrPixels},
		{"half a picture", whole[:len(whole)/2], ErrPicture},
		{"a GIF that is a script", "GIF89a/*\x00\x00\x00\x00\x00*/=1;alert(1)//", ErrPicture},
		{"a GIF that is a script, and large", "GIF89aPPPP\x00\x00\x00=1;alert(1)//", ErrPixels},
	}
	each(t, func(t *testing.T, s *served) {
		for _, tt := range tests {
			f, up := s.announce(t, "a.png", "image/png", len(tt.content))
			if a := s.send(t, up, tt.content); a.StatusCode/100 != 2 {
				t.Fatal(a.Status, a.body)
			}
			for _, want := range []error{tt.want, ErrMissing} {
				if _, err := s.Finish(t.Context(), f); !errors.Is(err, want) {
					t.Errorf("%s: %v, want %v", tt.name, err, want)
				}
			}
			s.wantNothing(t, tt.name)
		}
	})
}

// bomb is the beginning of a PNG of 100,000 × 100,000 pixels.
var bomb = func() string {
	const header = "IHDR\x00\x01\x86\xa0\x00\x01\x86\xa0\x08\x06\x00\x00\x00"
	sum := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(header)))
	return "\x89PNG\r\n\x1a\n\x00\x00\x00\r" + header + string(sum) + "\x00\x00\x00\x00IDAT"
}()

// TestAnnounce announces files that are not taken.
func TestAnnounce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *served) {
		tests := []struct {
			name string
			size int64
			want error
		}{
			{"a terabyte", 1 << 40, ErrTooLarge}, {"one byte more", maxBytes + 1, ErrTooLarge}, {"nothing", 0, ErrEmpty}, {"less than nothing", -1, ErrEmpty},
			{"../../etc/passwd", 1, ErrName}, {`C:\x`, 1, ErrName}, {"/", 1, ErrName}, {"..", 1, ErrName}, {".", 1, ErrName}, {"", 1, ErrName},
			{"a\x00.png", 1, ErrName}, {"a\r\nSet-Cookie: x=y", 1, ErrName}, {"a\u202egnp.exe", 1, ErrName}, {"a\u2028b", 1, ErrName},
			{"\xff", 1, ErrName}, {strings.Repeat("a", MaxName+1), 1, ErrName}, {"a\x7f", 1, ErrName},
			{strings.Repeat("ä", MaxName/2), 1, nil}, {`a "quoted" name; filename=x`, 1, nil}, {"👩‍🚀.png", 1, nil}, {"all of it", maxBytes, nil},
		}
		for _, tt := range tests {
			f := File{ID: uuid.New(), Name: tt.name, Size: tt.size}
			if _, err := s.Announce(t.Context(), f); !errors.Is(err, tt.want) {
				t.Errorf("%.40q of %d bytes: %v, want %v", tt.name, tt.size, err, tt.want)
			}
			if _, err := s.Store(t.Context(), f, strings.NewReader("x")); tt.want != nil && tt.want != ErrEmpty && !errors.Is(err, tt.want) {
				t.Errorf("%.40q stored: %v, want %v", tt.name, err, tt.want)
			}
		}
	})
}

// TestNames checks the header with the name, for any name that a row may have.
func TestNames(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"a.txt":                   `attachment; filename="a.txt"; filename*=UTF-8''a.txt`,
		`a"b;c.txt`:               `attachment; filename="a_b;c.txt"; filename*=UTF-8''a%22b%3Bc.txt`,
		"it's 5%.txt":             `attachment; filename="it's 5_.txt"; filename*=UTF-8''it%27s%205%25.txt`,
		"ä日.txt":                  `attachment; filename="__.txt"; filename*=UTF-8''%C3%A4%E6%97%A5.txt`,
		"../../x":                 `attachment; filename=".._.._x"; filename*=UTF-8''.._.._x`,
		"a\r\nSet-Cookie: b=c":    `attachment; filename="a__Set-Cookie: b=c"; filename*=UTF-8''a__Set-Cookie:%20b=c`,
		"a\u202etxt.exe":          `attachment; filename="a_txt.exe"; filename*=UTF-8''a_txt.exe`,
		"a\x00b":                  `attachment; filename="a_b"; filename*=UTF-8''a_b`,
		"\xff":                    `attachment; filename="_"; filename*=UTF-8''_`,
		`C:\autoexec.bat`:         `attachment; filename="C:_autoexec.bat"; filename*=UTF-8''C:_autoexec.bat`,
		"":                        `attachment; filename=""; filename*=UTF-8''`,
		"a\u2066b\u2069\u200fc.x": `attachment; filename="a_b__c.x"; filename*=UTF-8''a_b__c.x`,
	}
	for name, want := range tests {
		if got := disposition(&claims{Name: name, Type: "text/plain"}); got != want {
			t.Errorf("%q:\n%s, want\n%s", name, got, want)
		}
	}
}

// TestStore stores files that the server has received itself.
func TestStore(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *served) {
		content := pictureJPEG(t, 30, 20)
		for _, size := range []int64{0, int64(len(content))} {
			f := File{ID: uuid.New(), Name: "a.jpg", Size: size}
			facts, err := s.Store(t.Context(), f, strings.NewReader(content))
			if err != nil || facts.Width != 30 || facts.ContentType != "image/jpeg" || facts.Size != int64(len(content)) {
				t.Errorf("%d: %+v, %v", size, facts, err)
			}
			f.ContentType = facts.ContentType
			if a := s.ask(t, "GET", s.address(t, f, nil, Auto), nil); a.body != content {
				t.Errorf("%d: %s", size, a.Status)
			}
			if err := s.Remove(t.Context(), f.ID); err != nil {
				t.Fatal(err)
			}
		}
		broken := errors.New("the client is gone")
		for want, r := range map[error]io.Reader{
			ErrSize: strings.NewReader("short"), ErrUnavailable: io.MultiReader(strings.NewReader("short"), &failing{broken}),
		} {
			if _, err := s.Store(t.Context(), File{ID: uuid.New(), Name: "a", Size: 100}, r); !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
		}
		if _, err := s.Store(t.Context(), File{ID: uuid.New(), Name: "a"}, io.LimitReader(zeros{}, maxStored+1)); !errors.Is(err, ErrTooLarge) {
			t.Errorf("too much: %v", err)
		}
		s.wantNothing(t, "what failed")
	})
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// TestStoreAtOnce stores more files at once than may be in memory. One that waits is not read.
func TestStoreAtOnce(t *testing.T) {
	t.Parallel()
	s := onFolder(t)
	for range cap(s.storing) {
		s.storing <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	content := strings.NewReader("text")
	if _, err := s.Store(ctx, File{ID: uuid.New(), Name: "a.txt"}, content); !errors.Is(err, ErrUnavailable) || content.Len() != 4 {
		t.Errorf("%v; %d bytes are not read", err, content.Len())
	}
	<-s.storing
	if _, err := s.Store(t.Context(), File{ID: uuid.New(), Name: "a.txt"}, content); err != nil || len(s.storing) != cap(s.storing)-1 {
		t.Error(err)
	}
}

// TestSweep sweeps uploads that were given up, and nothing else.
func TestSweep(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *served) {
		f, _ := s.store(t, "a.txt", "text/plain", "kept")
		_, up := s.announce(t, "b.txt", "text/plain", 4)
		s.send(t, up, "left")
		for _, tt := range []struct {
			since time.Time
			want  int
		}{{time.Now().Add(-time.Hour), 0}, {time.Now().Add(time.Hour), 1}, {time.Now().Add(time.Hour), 0}} {
			if n, err := s.SweepUploads(t.Context(), tt.since); n != tt.want || err != nil {
				t.Errorf("%d, %v, want %d", n, err, tt.want)
			}
		}
		if all := s.keys(t); len(all) != 1 || all[0] != originalKey(f.ID) {
			t.Errorf("%v is left", all)
		}
	})
}

// TestCheck checks storages that work.
func TestCheck(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *served) {
		status, err := blob.Check(t.Context(), s.o.Storage)
		if err != nil || status.Place == "" || strings.Contains(status.Place, "@") {
			t.Errorf("%+v, %v", status, err)
		}
		s.wantNothing(t, "the check")
	})
}

// TestOff asks a service that keeps no files.
func TestOff(t *testing.T) {
	t.Parallel()
	var s *Service
	ctx := context.Background()
	_, announce := s.Announce(ctx, File{})
	_, finish := s.Finish(ctx, File{})
	_, store := s.Store(ctx, File{}, nil)
	_, url := s.URL(File{}, time.Hour, nil, Auto)
	_, has := s.Has(ctx, uuid.Nil)
	_, sweep := s.SweepUploads(ctx, time.Now())
	for _, err := range []error{announce, finish, store, url, has, sweep, s.Remove(ctx, uuid.Nil)} {
		if !errors.Is(err, ErrOff) {
			t.Error(err)
		}
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/files/x", nil))
	if w.Code != 404 || s.MaxBytes() != 0 {
		t.Error(w.Code)
	}
}
