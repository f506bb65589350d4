package entity

import (
	"mime"
	"strings"
)

// FileLimits say which files an edge may lead to.
type FileLimits struct {
	MaxBytes int64 `json:",omitempty"` // of each file; 0 means as many as may be uploaded
	// ContentTypes are allowed, as they are found by content: "image/png", or "image/*" for all
	// that begin so. Without any, all are.
	ContentTypes []string `json:",omitempty"`
	Most         int      `json:",omitempty"` // files of one row, if the edge leads to many; 0 means DefaultFiles
}

// Pictures are the content types of pictures that browsers show, and of which there are smaller
// versions. SVG is not among them: it is a document, which may have scripts.
var Pictures = []string{"image/jpeg", "image/png", "image/gif", "image/webp"}

// DefaultFiles is how many files an edge to many leads to at most, if FileLimits say nothing of it.
const DefaultFiles = 100

// Number returns how many files of one row there may be.
func (l *FileLimits) Number() int {
	if l.Most > 0 {
		return l.Most
	}
	return DefaultFiles
}

// Fits reports whether a file of a size is small enough.
func (l *FileLimits) Fits(size int64) bool { return l.MaxBytes == 0 || size <= l.MaxBytes }

// Accepts reports whether a content type, which may have parameters, is allowed.
func (l *FileLimits) Accepts(contentType string) bool {
	found, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	for _, allowed := range l.ContentTypes {
		if kind, all := strings.CutSuffix(allowed, "/*"); allowed == found || all && strings.HasPrefix(found, kind+"/") {
			return true
		}
	}
	return len(l.ContentTypes) == 0
}

// FilesOf returns the entity whose rows are files, or nil.
func FilesOf(entities []*Entity) *Entity {
	for _, e := range entities {
		if e.Files {
			return e
		}
	}
	return nil
}
