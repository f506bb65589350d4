// Package test checks that the framework does not depend on the application that uses it.
package test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode"

	"forge/ent"
	"forge/internal/entity"
)

// root is the path from here to the root of the repository.
const root = "../"

// allowedImports are the generated packages of ent that packages of the framework may import,
// because they have their own tables.
var allowedImports = map[string][]string{
	"internal/accountapi":  {"forge/ent"},
	"internal/factor":      {"forge/ent", "forge/ent/credential"},
	"internal/session":     {"forge/ent", "forge/ent/session", "forge/ent/signin"},
	"internal/idempotency": {"forge/ent", "forge/ent/idempotencykey"},
	"internal/webhook":     {"forge/ent", "forge/ent/webhook"},
	"internal/provider":    {"forge/ent", "forge/ent/credential"},
	"internal/upload":      {"forge/ent", "forge/ent/file", "forge/ent/predicate"},
	"internal/account":     {"forge/ent", "forge/ent/credential", "forge/ent/file", "forge/ent/mail", "forge/ent/signin"},
	"internal/mail":        {"forge/ent", "forge/ent/mail"},
}

// allowedRows are selectors that look like a row of the application. The value is the reason.
var allowedRows = map[entry]string{
	{"internal/blob", "u.User"}:          "url.Userinfo",
	{"internal/factor", "webauthn.User"}: "an account, for WebAuthn",
	{"internal/mail", "u.User"}:          "url.Userinfo",
	{"internal/provider", "u.User"}:      "url.Userinfo",
	{"internal/webhook", "u.User"}:       "url.Userinfo",
	{"internal/webhook", "viewer.User"}:  "the role",
}

// allowed are words that name an entity of the application but have another meaning in a package of
// the framework and the packages below it. The value is the reason.
var allowed = map[entry]string{
	{"internal/adopt", "order"}:       "SQL's ORDER BY, and the ends of types in the API",
	{"internal/adopt", "user"}:        "a type of Atlas, and the address of a database",
	{"internal/array", "order"}:       "SQL's ORDER BY",
	{"internal/blob", "user"}:         "url.Userinfo",
	{"internal/picture", "order"}:     "the order of bytes",
	{"internal/ids", "user"}:          "the example in an error about an ID",
	{"internal/stream", "user"}:       "the code BAD_USER_INPUT, and the header User-Agent",
	{"internal/session", "user"}:      "the column user_id of a session, and errors that people read",
	{"internal/operator", "order"}:    "SQL's ORDER BY",
	{"internal/provider", "order"}:    "SQL's ORDER BY",
	{"internal/provider", "team"}:     "Apple's teamId",
	{"internal/provider", "user"}:     "the column user_id of a credential, url.Userinfo, and paths of GitHub's API",
	{"internal/username", "user"}:     "the name of those of whom nothing else is known",
	{"internal/read", "user"}:         "the role viewer.User",
	{"internal/apperr", "user"}:       "the code BAD_USER_INPUT",
	{"internal/bootstrap", "user"}:    "a user of the machine, and of PostgreSQL",
	{"internal/cli", "user"}:          "an account: the command user",
	{"internal/cli", "users"}:         "accounts: the command user",
	{"internal/clientip", "user"}:     "the header User-Agent",
	{"internal/changes", "order"}:     "SQL's ORDER BY",
	{"internal/database", "order"}:    "SQL's ORDER BY",
	{"internal/database", "user"}:     "PostgreSQL's tcp_user_timeout",
	{"internal/doctor", "user"}:       "a user of the machine, and of PostgreSQL",
	{"internal/doctor", "users"}:      "users of the machine, and demo accounts",
	{"internal/doctor", "order"}:      "SQL's ORDER BY",
	{"internal/factor", "order"}:      "SQL's ORDER BY",
	{"internal/factor", "user"}:       "a name of WebAuthn, the column user_id of a credential, and errors that people read",
	{"internal/gqlexec", "order"}:     "SQL's ORDER BY",
	{"internal/graphqlhttp", "user"}:  "the code BAD_USER_INPUT",
	{"internal/gqlgen", "order"}:      "orderBy of the API",
	{"internal/httpserver", "user"}:   "url.Userinfo",
	{"internal/idempotency", "order"}: "SQL's ORDER BY",
	{"internal/input", "user"}:        "an account",
	{"internal/account", "order"}:     "SQL's ORDER BY",
	{"internal/account", "user"}:      "the column user_id of a credential, and errors that people read",
	{"internal/mail", "order"}:        "SQL's ORDER BY",
	{"internal/mail", "user"}:         "the column user_id of a mail, and the header User-Agent",
	{"internal/migrator", "item"}:     "an entry of a list",
	{"internal/migrator", "items"}:    "the entries of a list",
	{"internal/migrator", "order"}:    "SQL's ORDER BY, and the order of migrations",
	{"internal/migrator", "user"}:     "a user of PostgreSQL",
	{"internal/onetime", "order"}:     "SQL's ORDER BY",
	{"internal/persisted", "user"}:    "the code BAD_USER_INPUT",
	{"internal/pgtemp", "order"}:      "sorting, and pg_hba.conf",
	{"internal/pgtemp", "orders"}:     "sorting",
	{"internal/pgtemp", "user"}:       "a user of the machine, and of PostgreSQL",
	{"internal/read", "order"}:        "SQL's ORDER BY, and orderBy of the API",
	{"internal/read", "orders"}:       "SQL's ORDER BY, and orderBy of the API",
	{"internal/rule", "user"}:         "the role viewer.User",
	{"internal/scaffold", "order"}:    "orderBy of the API",
	{"internal/scaffold", "orders"}:   "orderBy of the API",
	{"internal/scaffold", "user"}:     "the role User, the code BAD_USER_INPUT, and a name of ent",
	{"internal/server", "user"}:       "a demo account",
	{"internal/server", "users"}:      "users of the machine",
	{"internal/session", "order"}:     "SQL's ORDER BY",
	{"internal/settings", "users"}:    "those who sign in",
	{"internal/settings", "user"}:     "url.Userinfo, a user of PostgreSQL, and AUTH_USER_CLAIM",
	{"internal/tree", "order"}:        "sorting",
	{"internal/tree", "orders"}:       "orderBy of the API",
	{"internal/syntax", "order"}:      "the byte order mark",
	{"internal/token", "user"}:        "the role viewer.User, and AUTH_USER_CLAIM",
	{"internal/upload", "order"}:      "SQL's ORDER BY",
	{"internal/upload", "user"}:       "the column user_id of a file",
	{"internal/viewer", "user"}:       "the role User",
	{"internal/webhook", "order"}:     "SQL's ORDER BY",
	{"internal/webhook", "user"}:      "the column user_id of an endpoint, and the header User-Agent",
	{"internal/shared", "order"}:      "SQL's ORDER BY",
	{"internal/write", "order"}:       "SQL's ORDER BY",
	{"internal/write", "user"}:        "the code BAD_USER_INPUT",
}

// allowedEmbedding are the structs that may embed a struct which embeds another one. The value is
// the reason.
var allowedEmbedding = map[string]string{
	"internal/migrator/dev.tableChange": "a change of a table is judged with all that is known of its file",
}

// entry is a word in a package, or in one below it.
type entry struct{ pkg, word string }

// TestLineImports checks that the framework imports nothing of the application.
func TestLineImports(t *testing.T) {
	found := map[string][]string{}
	for _, f := range sources(t, "internal") {
		if f.isTest {
			continue
		}
		for _, spec := range f.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if ofApplication(imported) && !slices.Contains(found[f.pkg], imported) {
				found[f.pkg] = append(found[f.pkg], imported)
			}
		}
	}
	for pkg, imports := range found {
		for _, imported := range imports {
			if !slices.Contains(allowedImports[pkg], imported) {
				t.Errorf("%s imports %s, which belongs to the application", pkg, imported)
			}
		}
	}
	for pkg, imports := range allowedImports {
		for _, imported := range imports {
			if !slices.Contains(found[pkg], imported) {
				t.Errorf("%s does not import %s: remove its entry", pkg, imported)
			}
		}
	}
}

// TestLineRows checks that those packages of the framework that have tables use no rows of other
// tables, such as db.User or *ent.User.
func TestLineRows(t *testing.T) {
	for _, f := range sources(t, "internal") {
		if allowedImports[f.pkg] == nil || f.isTest {
			continue
		}
		calls := map[ast.Expr]bool{} // such as query.Order, which is not an entity
		ast.Inspect(f.File, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				calls[n.Fun] = true
			case *ast.SelectorExpr:
				isEntity := func(e *entity.Entity) bool { return e.Name == n.Sel.Name && !ofFramework(t, e.Name) }
				if allowedRows[entry{f.pkg, types.ExprString(n)}] != "" {
					return true
				}
				if !calls[n] && slices.ContainsFunc(ent.Entities, isEntity) {
					t.Errorf("%s: %s belongs to the application", f.path, types.ExprString(n))
				}
			}
			return true
		})
	}
}

// ofApplication reports whether a package belongs to the application.
func ofApplication(imported string) bool {
	dirs := []string{"forge/ent", "forge/graph", "forge/seed", "forge/migrate", "forge/playground", "forge/test"}
	return slices.ContainsFunc(dirs, func(dir string) bool { return isBelow(imported, dir) })
}

// TestLineWords checks that no identifier and no string of the framework names an entity of the
// application.
func TestLineWords(t *testing.T) {
	entities := entityWords(t)
	needed := map[entry]bool{}
	for _, f := range sources(t, "internal") {
		if f.isTest {
			continue
		}
		for _, text := range f.texts() {
			for _, word := range words(text) {
				if !entities[word] {
					continue
				}
				e, ok := allowedBy(f.pkg, word)
				if !ok && !needed[e] {
					t.Errorf("%s: %s names an entity of the application: %s", f.path, text, word)
				}
				needed[e] = true
			}
		}
	}
	for e := range allowed {
		if !needed[e] {
			t.Errorf("%s does not say %q: remove its entry", e.pkg, e.word)
		}
	}
}

// allowedBy returns the entry that allows a word in a package. It returns false if there is none.
func allowedBy(pkg, word string) (entry, bool) {
	named := entry{pkg, word}
	for ; pkg != "."; pkg = path.Dir(pkg) {
		e := entry{pkg, word}
		if allowed[e] != "" {
			return e, true
		}
	}
	return named, false
}

// entityWords returns the words of the application's entities, and of their tables.
func entityWords(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for _, e := range ent.Entities {
		if ofFramework(t, e.Name) {
			continue
		}
		for _, word := range append(words(e.Name), words(e.Table)...) {
			all[word] = true
		}
	}
	if len(all) < 10 {
		t.Fatalf("ent.Entities gives only %v", all)
	}
	return all
}

// ofFramework reports whether the first line of an entity's schema says that it belongs to the
// framework.
func ofFramework(t *testing.T, name string) bool {
	t.Helper()
	source, err := os.ReadFile(root + "ent/schema/" + strings.ToLower(name) + ".go")
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(source), "\n")
	return strings.HasPrefix(first, "//") && strings.Contains(first, "framework")
}

// words splits a text into words in lower case. It splits at each character that is not a letter,
// and before a capital letter that follows a small one.
func words(text string) (all []string) {
	var word []rune
	end := func() {
		if len(word) > 0 {
			all = append(all, strings.ToLower(string(word)))
		}
		word = word[:0]
	}
	for _, r := range text {
		if !unicode.IsLetter(r) {
			end()
			continue
		}
		if unicode.IsUpper(r) && len(word) > 0 && unicode.IsLower(word[len(word)-1]) {
			end()
		}
		word = append(word, r)
	}
	end()
	return all
}

// TestLineTop checks that the root of the repository is easy to survey.
func TestLineTop(t *testing.T) {
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	ignored, err := os.ReadFile(root + ".gitignore")
	if err != nil {
		t.Fatal(err)
	}
	var names, sources []string
	for _, e := range entries {
		isIgnored := func(pattern string) bool {
			matched, err := path.Match(strings.Trim(pattern, "/"), e.Name())
			return matched || err != nil
		}
		if strings.HasPrefix(e.Name(), ".") || slices.ContainsFunc(strings.Fields(string(ignored)), isIgnored) {
			continue
		}
		names = append(names, e.Name())
		if path.Ext(e.Name()) == ".go" {
			sources = append(sources, e.Name())
		}
	}
	if len(names) > 30 {
		t.Errorf("the root has %d names, want 30 at most: %s", len(names), strings.Join(names, " "))
	}
	if !slices.Equal(sources, []string{"server.go"}) {
		t.Errorf("the root has the Go files %v, want server.go alone", sources)
	}
}

// TestLineGraph checks that graph/ stays small. Everything that is not about the application's own
// fields belongs to the framework.
func TestLineGraph(t *testing.T) {
	var written []string
	for _, f := range sources(t, "graph") {
		if f.pkg == "graph" && !f.isTest && !ast.IsGenerated(f.File) {
			written = append(written, path.Base(f.path))
		}
	}
	if len(written) > 16 {
		t.Errorf("graph/ has %d hand-written files, want 16 at most: %s", len(written), strings.Join(written, " "))
	}
}

// TestLineVariables checks that no package variable is changed, not even in tests.
func TestLineVariables(t *testing.T) {
	found := map[string]bool{}
	for _, dir := range []string{"internal", "graph", "seed", "migrate", "playground", "console"} {
		for pkg, files := range packages(t, dir) {
			variables := packageVariables(files)
			for _, f := range files {
				for _, name := range f.assigned(variables) {
					found[pkg+"."+name] = true
				}
			}
		}
	}
	compare(t, "variables", found, nil, "%s is a package variable, and is assigned to")
}

// packageVariables returns the names of the variables of a package, each with its declaration.
func packageVariables(files []source) map[string]*ast.ValueSpec {
	all := map[string]*ast.ValueSpec{}
	for _, f := range files {
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, s := range g.Specs {
				for _, name := range s.(*ast.ValueSpec).Names {
					all[name.Name] = s.(*ast.ValueSpec)
				}
			}
		}
	}
	delete(all, "_")
	return all
}

// assigned returns the package variables that a file assigns to, in whole or in part.
func (f source) assigned(variables map[string]*ast.ValueSpec) (names []string) {
	check := func(e ast.Expr) {
		switch id := rootOf(e); {
		case id == nil || variables[id.Name] == nil:
		case id.Obj == nil, id.Obj.Decl == variables[id.Name]: // declared in this or another file
			names = append(names, id.Name)
		}
	}
	ast.Inspect(f.File, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				for _, e := range n.Lhs {
					check(e)
				}
			}
		case *ast.IncDecStmt:
			check(n.X)
		}
		return true
	})
	return names
}

// rootOf returns the x of x, x.y, x[i] and *x.
func rootOf(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// TestLineEmbedding checks that no struct embeds one that embeds another.
func TestLineEmbedding(t *testing.T) {
	embedded := map[string][]string{} // the types that a struct embeds, as "internal/read.Engine"
	for pkg, files := range packages(t, "internal") {
		for _, f := range files {
			for _, d := range f.Decls {
				g, ok := d.(*ast.GenDecl)
				if !ok || g.Tok != token.TYPE || f.isTest {
					continue
				}
				for _, s := range g.Specs {
					if spec := s.(*ast.TypeSpec); f.embeds(spec) != nil {
						embedded[pkg+"."+spec.Name.Name] = f.embeds(spec)
					}
				}
			}
		}
	}
	found := map[string]bool{}
	for name, types := range embedded {
		for _, of := range types {
			if embedded[of] != nil {
				found[name] = true
			}
		}
	}
	compare(t, "allowedEmbedding", found, allowedEmbedding, "%s embeds a struct that embeds another")
}

// embeds returns the types that a struct embeds.
func (f source) embeds(spec *ast.TypeSpec) (types []string) {
	s, ok := spec.Type.(*ast.StructType)
	if !ok {
		return nil
	}
	for _, field := range s.Fields.List {
		if len(field.Names) > 0 {
			continue
		}
		of := field.Type
		if star, ok := of.(*ast.StarExpr); ok {
			of = star.X
		}
		if index, ok := of.(*ast.IndexExpr); ok {
			of = index.X
		}
		switch of := of.(type) {
		case *ast.Ident:
			types = append(types, f.pkg+"."+of.Name)
		case *ast.SelectorExpr:
			types = append(types, f.importOf(fmt.Sprint(of.X))+"."+of.Sel.Name)
		}
	}
	return types
}

// importOf returns the directory of the package that a file calls name, if it is one of Forge's.
func (f source) importOf(name string) string {
	for _, spec := range f.Imports {
		imported := strings.TrimPrefix(strings.Trim(spec.Path.Value, `"`), "forge/")
		if path.Base(imported) == name || spec.Name != nil && spec.Name.Name == name {
			return imported
		}
	}
	return name
}

// compare checks that the found entries are the allowed ones.
func compare(t *testing.T, list string, found map[string]bool, allowed map[string]string, message string) {
	t.Helper()
	for name := range found {
		if allowed[name] == "" {
			t.Errorf(message, name)
		}
	}
	for name := range allowed {
		if !found[name] {
			t.Errorf("%s: %s is not needed", list, name)
		}
	}
}

// source is a Go file of the repository.
type source struct {
	*ast.File
	path   string // from the root of the repository
	pkg    string // the folder of the file
	isTest bool   // includes packages for tests, such as httptest
}

// texts returns the identifiers and the strings of a file, without its imports.
func (f source) texts() (all []string) {
	ast.Inspect(f.File, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.Ident:
			all = append(all, n.Name)
		case *ast.BasicLit:
			if n.Kind == token.STRING {
				all = append(all, n.Value)
			}
		}
		return true
	})
	return all
}

// packages returns the files below a folder, grouped by their folders.
func packages(t *testing.T, dir string) map[string][]source {
	t.Helper()
	all := map[string][]source{}
	for _, f := range sources(t, dir) {
		all[f.pkg] = append(all[f.pkg], f)
	}
	return all
}

// parsed holds the files below each folder, so that they are parsed once.
var parsed sync.Map

// sources returns the Go files below a folder of the repository.
func sources(t *testing.T, dir string) []source {
	t.Helper()
	parse := sync.OnceValues(func() (all []source, err error) {
		err = filepath.WalkDir(root+dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil || path.Ext(name) != ".go" {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
			name = strings.TrimPrefix(filepath.ToSlash(name), root)
			all = append(all, source{file, name, path.Dir(name), strings.HasSuffix(name, "_test.go") || strings.HasSuffix(path.Dir(name), "test")})
			return err
		})
		return all, err
	})
	once, _ := parsed.LoadOrStore(dir, parse)
	all, err := once.(func() ([]source, error))()
	if err != nil || len(all) == 0 {
		t.Fatalf("%d Go files in %s: %v", len(all), dir, err)
	}
	return all
}

// isBelow reports whether a path is a folder or below it.
func isBelow(name, dir string) bool { return name == dir || strings.HasPrefix(name, dir+"/") }
