package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestSecurity checks that each test that security.md names exists in the package that the page
// names with it, and that each linked file exists.
func TestSecurity(t *testing.T) {
	page, err := os.ReadFile("security.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := regexp.MustCompile("`([^`]+)`: ((?:`\\w+`(?:, )?)+)")
	named := 0
	for _, m := range tests.FindAllStringSubmatch(string(page), -1) {
		declared := testsOf(t, filepath.Join("..", m[1]))
		for name := range strings.SplitSeq(m[2], ", ") {
			named++
			if name = strings.Trim(name, "`"); !declared[name] {
				t.Errorf("there is no %s in %s", name, m[1])
			}
		}
	}
	// A name that is written in another way would not be looked for.
	if all := len(regexp.MustCompile("`(?:Test|Fuzz)\\w+`").FindAllString(string(page), -1)); named != all {
		t.Errorf("the page names %d tests, and %d of them with their packages", all, named)
	}
	for _, row := range strings.Split(string(page), "\n") {
		if strings.HasPrefix(row, "| ") && !strings.Contains(row, "---") && !strings.HasPrefix(row, "| Promise") && !tests.MatchString(row) {
			t.Errorf("nothing shows this promise: %s", row)
		}
	}
	for _, m := range regexp.MustCompile(`\]\(([^)#]+)\)`).FindAllStringSubmatch(string(page), -1) {
		if _, err := os.Stat(m[1]); err != nil {
			t.Error(err)
		}
	}
}

// testsOf returns the names of a package's tests.
func testsOf(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllStringSubmatch(string(text), -1) {
			declared[m[1]] = true
		}
	}
	return declared
}
