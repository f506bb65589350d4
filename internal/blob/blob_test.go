package blob

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"forge/test/bucket"
)

// each runs a test on a folder and on S3.
func each(t *testing.T, test func(t *testing.T, s Storage)) {
	t.Helper()
	t.Run("folder", func(t *testing.T) {
		t.Parallel()
		test(t, NewFolder(t.TempDir()+"/files"))
	})
	t.Run("s3", func(t *testing.T) {
		t.Parallel()
		s, err := NewS3(bucket.Start(t).Address + "/a/prefix")
		if err != nil {
			t.Fatal(err)
		}
		test(t, s)
	})
}

func put(t testing.TB, s Storage, key, content string) Info {
	t.Helper()
	if err := s.Put(t.Context(), key, strings.NewReader(content), int64(len(content))); err != nil {
		t.Fatal(err)
	}
	o, err := s.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	return o.Info()
}

func get(t testing.TB, s Storage, key string) string {
	t.Helper()
	o, err := s.Open(t.Context(), key)
	if err != nil {
		return err.Error()
	}
	defer o.Close()
	b, err := io.ReadAll(o)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestStorage stores, reads, moves, lists and removes.
func TestStorage(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s Storage) {
		info := put(t, s, "a/b/one", "one")
		if info.Key != "a/b/one" || info.Size != 3 || info.Version == "" || time.Since(info.Changed).Abs() > time.Minute {
			t.Errorf("%+v", info)
		}
		put(t, s, "a/bc", "two")
		o, err := s.Open(t.Context(), "a/b/one")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.Seek(1, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(o); string(b) != "ne" || err != nil {
			t.Errorf("from the middle: %q, %v", b, err)
		}
		o.Close()
		var listed []string
		list := func(prefix string) string {
			listed = nil
			if err := s.List(t.Context(), prefix, func(i Info) error { listed = append(listed, i.Key); return nil }); err != nil {
				t.Fatal(err)
			}
			return strings.Join(listed, " ")
		}
		if list("a/b/") != "a/b/one" || list("a/") != "a/b/one a/bc" || list("x/") != "" {
			t.Errorf("listed %v", listed)
		}
		enough := errors.New("enough")
		if err := s.List(t.Context(), "a/", func(Info) error { return enough }); !errors.Is(err, enough) {
			t.Errorf("a list that ends: %v", err)
		}
		if err := s.Move(t.Context(), info, "c/one"); err != nil || get(t, s, "c/one") != "one" || get(t, s, "a/b/one") != ErrNotFound.Error() {
			t.Errorf("moved: %v, %s, %s", err, get(t, s, "c/one"), get(t, s, "a/b/one"))
		}
		if err := s.Move(t.Context(), info, "d/one"); !errors.Is(err, ErrNotFound) {
			t.Errorf("moved again: %v", err)
		}
		// What is there already stays.
		second := put(t, s, "a/second", "second")
		if err := s.Move(t.Context(), second, "c/one"); err != nil || get(t, s, "c/one") != "one" || get(t, s, "a/second") != ErrNotFound.Error() {
			t.Errorf("moved over another: %v, %s", err, get(t, s, "c/one"))
		}
		for range 2 {
			for _, key := range []string{"c/one", "a/bc", "a/b/one/below"} {
				if err := s.Remove(t.Context(), key); err != nil {
					t.Error(err)
				}
			}
		}
		if all := list("a/") + list("c/") + list(Unfinished); all != "" {
			t.Errorf("%s is left", all)
		}
	})
}

// TestKeys uses keys that the program never makes.
func TestKeys(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s Storage) {
		for _, key := range []string{"", "/", "a", "/etc/passwd", "../a/b", "a/../b", "a/..", "a//b", "a/b/", "a/.b", "a/\x00", "a/b\n", `a\b`, "a/" + strings.Repeat("b", 300)} {
			_, open := s.Open(t.Context(), key)
			for _, err := range []error{open, s.Put(t.Context(), key, strings.NewReader("x"), 1), s.Remove(t.Context(), key), s.Move(t.Context(), Info{Key: key}, "a/b")} {
				if err == nil || errors.Is(err, ErrNotFound) {
					t.Errorf("%q: %v", key, err)
				}
			}
		}
	})
}

// TestHalf stores what ends too soon. Nothing is there then.
func TestHalf(t *testing.T) {
	t.Parallel()
	broken := errors.New("the client is gone")
	each(t, func(t *testing.T, s Storage) {
		for _, r := range []io.Reader{strings.NewReader("half"), io.MultiReader(strings.NewReader("half"), failing{broken})} {
			if err := s.Put(t.Context(), "a/b", r, 8); err == nil {
				t.Error("no error")
			}
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Put(ended, "a/b", strings.NewReader("whole"), 5); !errors.Is(err, context.Canceled) {
			t.Errorf("a request that ended: %v", err)
		}
		if got := get(t, s, "a/b"); got != ErrNotFound.Error() {
			t.Errorf("there is %q", got)
		}
		if err := s.List(t.Context(), Unfinished, func(i Info) error { return errors.New(i.Key + " is left") }); err != nil {
			t.Error(err)
		}
	})
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestModes checks that nobody else can read what is stored.
func TestModes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir() + "/files"
	f := NewFolder(dir)
	put(t, f, "a/b/c", "x")
	if _, err := f.Append(t.Context(), "u/x", 0, strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	n := 0
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if want := map[bool]fs.FileMode{true: 0o700, false: 0o600}[entry.IsDir()]; err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has the mode %v, want %v", path, info.Mode(), want)
		}
		n++
		return err
	})
	if err != nil || n < 6 {
		t.Errorf("%d files, %v", n, err)
	}
}

// TestAppend adds to a file, from where it ends and from before.
func TestAppend(t *testing.T) {
	t.Parallel()
	f := NewFolder(t.TempDir())
	for _, tt := range []struct {
		offset        int64
		content, want string
	}{{0, "0123", "0123"}, {4, "4567", "01234567"}, {2, "x", "01x"}} {
		if n, err := f.Append(t.Context(), "a/b", tt.offset, strings.NewReader(tt.content)); n != int64(len(tt.content)) || err != nil || get(t, f, "a/b") != tt.want {
			t.Errorf("at %d: %d, %v, %q; want %q", tt.offset, n, err, get(t, f, "a/b"), tt.want)
		}
	}
	broken := errors.New("the client is gone")
	if n, err := f.Append(t.Context(), "a/b", 3, io.MultiReader(strings.NewReader("half"), failing{broken})); n != 4 || !errors.Is(err, broken) || get(t, f, "a/b") != "01xhalf" {
		t.Errorf("a half: %d, %v, %q", n, err, get(t, f, "a/b"))
	}
	info := put(t, f, "a/c", "x")
	if _, err := f.Append(t.Context(), "a/c", 1, strings.NewReader("y")); err != nil {
		t.Fatal(err)
	}
	if err := f.Move(t.Context(), info, "a/d"); !errors.Is(err, ErrChanged) {
		t.Errorf("moved what has changed: %v", err)
	}
}

// TestReserve has a disk with less free than is kept for others.
func TestReserve(t *testing.T) {
	t.Parallel()
	f := NewFolder(t.TempDir() + "/not/there/yet")
	f.Reserve = 1 << 62
	free, known, err := f.Free(t.Context())
	if free != 0 || !known || err != nil {
		t.Errorf("%d, %t, %v", free, known, err)
	}
	if err := f.Put(t.Context(), "a/b", strings.NewReader("x"), 1); !errors.Is(err, ErrFull) {
		t.Errorf("stored: %v", err)
	}
	if _, err := f.Append(t.Context(), "a/b", 0, strings.NewReader("x")); !errors.Is(err, ErrFull) {
		t.Errorf("added: %v", err)
	}
}

// TestReplaced puts another folder into the place of one that is in use.
func TestReplaced(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, backup := NewFolder(dir+"/files"), NewFolder(dir+"/backup")
	put(t, f, "a/b", "lost")
	put(t, backup, "a/b", "restored")
	if err := os.RemoveAll(dir + "/files"); err != nil {
		t.Fatal(err)
	}
	if got := get(t, f, "a/b"); got != ErrNotFound.Error() {
		t.Errorf("after the removal there is %q", got)
	}
	if err := os.Remove(dir + "/files"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir+"/backup", dir+"/files"); err != nil {
		t.Fatal(err)
	}
	if got := get(t, f, "a/b"); got != "restored" {
		t.Errorf("after the restore there is %q", got)
	}
}

// TestNotWritable uses a folder that cannot be made.
func TestNotWritable(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/file"
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f := NewFolder(path + "/below")
	if err := f.Put(t.Context(), "a/b", strings.NewReader("x"), 1); err == nil {
		t.Error("no error")
	}
}

// TestS3Errors has S3 refuse requests.
func TestS3Errors(t *testing.T) {
	t.Parallel()
	for code, tt := range map[string]struct {
		status int
		want   error
	}{
		"XMinioStorageFull": {507, ErrFull}, "QuotaExceeded": {403, ErrFull}, "NoSuchKey": {404, ErrNotFound}, "PreconditionFailed": {412, ErrChanged},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(tt.status)
			_, _ = io.WriteString(w, "<Error><Code>"+code+"</Code></Error>")
		}))
		defer server.Close()
		s, err := NewS3("s3://key:geheim@" + server.Listener.Addr().String() + "/bucket")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Put(t.Context(), "a/b", strings.NewReader("x"), 1); !errors.Is(err, tt.want) || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: %v, want %v", code, err, tt.want)
		}
	}
}

// TestOrigin checks to which origin presigned addresses lead, without asking anybody.
func TestOrigin(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"s3://key:secret@127.0.0.1:9000/bucket":                       "http://127.0.0.1:9000",
		"s3://key:secret@s3.example.com/bucket":                       "https://s3.example.com",
		"s3://key:secret@s3.amazonaws.com/bucket?region=eu-central-1": "https://bucket.s3.dualstack.eu-central-1.amazonaws.com",
	} {
		s, err := NewS3(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Origin(); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

// TestWrongSecret asks a server with a secret that is not its own.
func TestWrongSecret(t *testing.T) {
	t.Parallel()
	address := bucket.Start(t).Address
	at := strings.Index(address, "@")
	s, err := NewS3(address[:at-1] + "x" + address[at:])
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), "a/b", strings.NewReader("x"), 1); err == nil {
		t.Error("stored with a wrong secret")
	}
	if _, err := s.Open(t.Context(), "a/b"); err == nil || errors.Is(err, ErrNotFound) {
		t.Errorf("read with a wrong secret: %v", err)
	}
}
