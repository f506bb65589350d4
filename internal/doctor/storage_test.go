package doctor

import (
	"os"
	"testing"

	"forge/test/bucket"
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
