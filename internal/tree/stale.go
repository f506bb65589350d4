// Package tree describes the source tree of an application, as a program sees it that does not
// change it: the commands that would, and which generated code is old.
package tree

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// These are the places of an application, from its directory.
const (
	schemaDir = "ent/schema"
	sdlFile   = "schema.graphqls"
	graphDir  = "graph"
)

// checkout is how long it may take to write the files of a source tree, so that their times say
// nothing about which of them somebody has edited.
const checkout = 2 * time.Second

// Stale says which generated code of the application in a directory is older than what it is
// generated from, a sentence for each. It returns none where there is no source tree.
func Stale(dir string) (sentences []string) {
	add := func(code, from string) {
		sentences = append(sentences, fmt.Sprintf("the generated code in %s is older than %s; go generate ./... makes it anew", code, from))
	}
	if code, err := os.Stat(filepath.Join(dir, "ent/entities.go")); err == nil {
		files, _ := filepath.Glob(filepath.Join(dir, schemaDir, "*.go"))
		for _, path := range files {
			if f, err := os.Stat(path); err == nil && f.ModTime().Sub(code.ModTime()) > checkout {
				add("ent", schemaDir+"/"+filepath.Base(path))
			}
		}
	}
	sdl, err := os.ReadFile(filepath.Join(dir, sdlFile))
	code, missing := os.ReadFile(filepath.Join(dir, graphDir, "generated/generated.go"))
	// gqlgen writes the schema into its code, with quotes that gofmt puts blanks around.
	quoted := "`" + strings.ReplaceAll(string(sdl), "`", "` + \"`\" + `") + "`"
	if err == nil && missing == nil && !strings.Contains(string(code), quoted) {
		add(graphDir, sdlFile)
	}
	return sentences
}
