package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"forge/test/gqltest"
	"forge/test/process"
)

// TestRecipes compares code in the recipes that names a file with that file. Other tests compile
// and run these files: all of a block stands there, as it is.
func TestRecipes(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("recipes/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("%v, %v", pages, err)
	}
	compared := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range blocks(string(text)) {
			if !strings.Contains(b.label, "/") {
				continue
			}
			compared++
			file, err := os.ReadFile(filepath.Join("..", b.label))
			if err != nil || !strings.Contains(string(file), b.text) {
				t.Errorf("%s has code that %s has not (%v):\n%s", page, b.label, err, b.text)
			}
		}
	}
	if n := validateDocuments(t, "recipes/react.md"); n != 2 {
		t.Errorf("recipes/react.md has %d operations, want 2", n)
	}
	if compared < 8 {
		t.Errorf("the recipes have %d pieces of files, want 8", compared)
	}
}

// validateDocuments validates the operations in a page's code, and returns how many there are.
func validateDocuments(t *testing.T, page string) int {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	sdl, err := os.ReadFile("../schema.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphqls", Input: string(sdl)})
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)gql`(.*?)`").FindAllStringSubmatch(string(text), -1)
	for _, document := range found {
		if _, err := gqlparser.LoadQueryWithRules(schema, document[1], rules.NewDefaultRules()); err != nil {
			t.Errorf("%s has the operation%s which is not valid: %v", page, document[1], err)
		}
	}
	return len(found)
}

// TestSignInRecipe starts a server with the file of the recipe, and asks it how to begin.
func TestSignInRecipe(t *testing.T) {
	text, err := os.ReadFile("recipes/sign-in.md")
	if err != nil {
		t.Fatal(err)
	}
	tr, query, compared := &tree{dir: t.TempDir()}, "", 0
	for _, b := range blocks(string(text)) {
		switch {
		case b.file != "":
			tr.write(t, b)
		case b.language == "graphql":
			query = b.text
		case b.language == "json":
			compared++
			tr.write(t, block{file: "google.secret", text: "a secret"})
			api := gqltest.New(t, serve(t, process.Build(t), tr.dir, append(os.Environ(), "AUTH=on", "AUTH_SECRET=a secret of this page, and of no server",
				"AUTH_PROVIDERS_FILE=providers.json", "DEMO=off")))
			if got := askWith(api, query, nil); !sameJSON(t, got, b.text) {
				t.Errorf("the server answers %s, and the page shows %s", got, b.text)
			}
		}
	}
	if compared != 1 {
		t.Errorf("the page has %d answers, want 1", compared)
	}
}
