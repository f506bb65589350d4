package test

import (
	"encoding/json"
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
)

// makers are the functions that make messages, with the place of the message among their arguments,
// and what stands before it.
var makers = map[string]struct {
	place  int
	prefix string
}{
	"apperr.BadInput": {1, ""}, "apperr.Conflict": {1, ""}, "apperr.Forbidden": {1, ""}, "apperr.New": {2, ""}, "New": {2, ""},
	"message.New": {0, ""}, "invalid": {0, ""}, "t.refuse": {1, ""}, "f.Refuse": {1, "%s "}, "form.Refuse": {1, "%s "}, "f.refuse": {1, "%s "},
}

// texts are the texts in the sources below a folder.
type texts struct {
	messages map[string]string // by the places where they are made
	all      map[string]bool   // all, some of which may be messages
}

// read reads the sources below a folder.
func (s texts) read(root string) error {
	return filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		constants := constantsOf(file)
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if maker, ok := makers[nameOf(call.Fun)]; ok && len(call.Args) > maker.place {
					if text, ok := textOf(call.Args[maker.place], constants); ok {
						s.messages[maker.prefix+text] = path
					}
				}
			}
			if e, ok := n.(ast.Expr); ok {
				if text, ok := textOf(e, constants); ok {
					s.all[text], s.all["%s "+text] = true, true
					return false // its parts are no messages
				}
			}
			return true
		})
		return nil
	})
}

func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		if of, ok := e.X.(*ast.Ident); ok {
			return of.Name + "." + e.Sel.Name
		}
	}
	return ""
}

func constantsOf(file *ast.File) map[string]string {
	constants := map[string]string{}
	for _, d := range file.Decls {
		of, ok := d.(*ast.GenDecl)
		if !ok || of.Tok != token.CONST {
			continue
		}
		for _, s := range of.Specs {
			v := s.(*ast.ValueSpec)
			for i, value := range v.Values {
				if text, ok := textOf(value, constants); ok {
					constants[v.Names[i].Name] = text
				}
			}
		}
	}
	return constants
}

// textOf returns the value of a constant text.
func textOf(e ast.Expr, constants map[string]string) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil && e.Kind == token.STRING
	case *ast.Ident:
		text, ok := constants[e.Name]
		return text, ok
	case *ast.BinaryExpr:
		right, ok := textOf(e.Y, constants)
		if !ok {
			return "", false
		}
		left, ok := textOf(e.X, constants)
		return left + right, ok
	}
	return "", false
}

// TestMessagesGerman checks that the messages about inputs have German translations, and that the
// files have nothing that is no message.
func TestMessagesGerman(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		file   string
		wanted []string // folders whose messages must have a translation
		roots  []string
	}{
		{"../internal/message/messages/de.json", []string{"account", "apperr", "cookie", "email", "factor", "ids", "input", "password", "provider", "scalar", "session", "upload", "username", "write"}, []string{"../internal"}},
		{"../graph/messages/de.json", []string{"graph"}, []string{"../graph", "../ent/schema"}},
	} {
		text, err := os.ReadFile(tt.file)
		if err != nil {
			t.Fatal(err)
		}
		var translated map[string]string
		if err := json.Unmarshal(text, &translated); err != nil {
			t.Fatal(err)
		}
		found := texts{map[string]string{}, map[string]bool{}}
		for _, root := range tt.roots {
			if err := found.read(root); err != nil {
				t.Fatal(err)
			}
		}
		for key, path := range found.messages {
			about := strings.Trim(strings.NewReplacer("%s", "", "%d", "").Replace(key), " ")
			if translated[key] == "" && about != "" && slices.Contains(tt.wanted, filepath.Base(filepath.Dir(path))) {
				t.Errorf("%s has no %q of %s", tt.file, key, path)
			}
		}
		for key := range translated {
			if !found.all[key] {
				t.Errorf("%s has %q, which is no message", tt.file, key)
			}
		}
	}
}
