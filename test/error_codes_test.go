package test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	gqlast "github.com/vektah/gqlparser/v2/ast"
)

// codesIn returns the constants of type apperr.Code below a folder.
func codesIn(t *testing.T, root string) (codes []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok && (nameOf(v.Type) == "apperr.Code" || nameOf(v.Type) == "Code" && file.Name.Name == "apperr") {
				for _, value := range v.Values {
					code, err := strconv.Unquote(value.(*ast.BasicLit).Value)
					if err != nil {
						t.Error(err)
					}
					codes = append(codes, code)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(codes)
	return codes
}

// TestErrorCodes checks that the schema names each code that an answer may have, and no other, and
// that the page of errors has a section about each.
func TestErrorCodes(t *testing.T) {
	t.Parallel()
	framework := codesIn(t, "../internal")
	if len(framework) < 20 {
		t.Errorf("only the codes %q were found", framework)
	}
	all := slices.Concat(framework, codesIn(t, "../graph"))
	slices.Sort(all)
	for file, want := range map[string][]string{"../schema.graphqls": all, "../_new/bare/schema.graphqls": framework} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		schema, err := gqlparser.LoadSchema(&gqlast.Source{Name: file, Input: string(text)})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, v := range schema.Types["ErrorCode"].EnumValues {
			if v.Description == "" {
				t.Errorf("%s: %s has no description", file, v.Name)
			}
			got = append(got, v.Name)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: ErrorCode has %q, want %q", file, got, want)
		}
	}
	page, err := os.ReadFile("../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range all {
		if !strings.Contains(string(page), "### "+code+"\n") {
			t.Errorf("docs/errors.md has no section about %s", code)
		}
	}
}
