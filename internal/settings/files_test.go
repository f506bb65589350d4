package settings

import (
	"strings"
	"testing"
)

// TestFiles loads the settings of files, good ones and bad ones. No error has the secret.
func TestFiles(t *testing.T) {
	t.Parallel()
	good := map[string]string{
		"FILES_URL=none":                              "",
		"FILES_URL=/var/lib/forge/files":              "/var/lib/forge/files",
		"FILES_URL=s3://k:geheim@s3.example/pictures": "s3://k:geheim@s3.example/pictures",
		"DATABASE_URL=sqlite:a/b.db":                  "a/b.db-files",
		"DATABASE_URL=sqlite:b.db?mode=rw":            "b.db-files",
		"DATABASE_URL=sqlite:b.db?mode=ro":            "",
		"DATABASE_URL=sqlite::memory:":                "",
		"DATABASE_URL=postgres://u:p@localhost":       "",
	}
	for word, want := range good {
		if s, err := load(t, word); err != nil || s.Files.URL != want {
			t.Errorf("%s: %v, %v; want %q", word, s, err, want)
		}
	}
	bad := []string{
		"FILES_URL=s3://k:geheim@s3.example", "FILES_URL=s3://k:geheim@s3.example/b", "FILES_URL=s3://k:geheim@/b", "FILES_URL=s3://k:geheim@h/b?tls=maybe", "FILES_URL=s3://k:geheim@h/b?x=y",
		"FILES_URL=s3://k:geheim@h/b/../c", "FILES_URL=s3://k:geheim@h:x/b", "FILES_URL=http://k:geheim@h/b", "FILES_URL=s3://k:geheim@h/b#x",
		"FILES_ORIGIN=files.example", "FILES_ORIGIN=http://files.example", "FILES_ORIGIN=https://files.example/x", "FILES_ORIGIN=https://u:geheim@files.example",
		"MAX_UPLOAD_BYTES=1", "MAX_UPLOAD_BYTES=1000000000000", "MAX_PICTURE_PIXELS=0", "MAX_TRANSFERS=0",
	}
	for _, word := range bad {
		if _, err := load(t, word); err == nil || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: %v", word, err)
		}
	}
}
