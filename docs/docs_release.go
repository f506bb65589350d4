//go:build release

package docs

import (
	"archive/zip"
	_ "embed"
	"io/fs"
	"strings"
)

// packed has the files, compressed. internal/release makes it, and lays it over this folder.
//
//go:embed pages.zip
var packed string

// Files are the files in this folder that are no Go code. The links to them are relative.
var Files = unpacked()

func unpacked() fs.FS {
	files, err := zip.NewReader(strings.NewReader(packed), int64(len(packed)))
	if err != nil {
		panic(err) // internal/release has not made it
	}
	return files
}
