package kinds

import (
	"os"
	"regexp"
	"testing"
)

// TestRecipe sends the query of the recipe for money that is about samples.
func TestRecipe(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/recipes/money.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```graphql kinds\n(.*?)```\n\n```json kinds\n(.*?)\n```").FindStringSubmatch(string(page))
	if found == nil {
		t.Fatal("the page has no query about samples")
	}
	if got := filled(t).do(found[1], `{}`).RawData(); got != found[2] {
		t.Errorf("the answer is\n%s\nand the page shows\n%s", got, found[2])
	}
}
