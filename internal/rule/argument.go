package rule

import "strings"

// argument returns a column's name as the API has it: "owner_id" is ownerId there.
func argument(column string) string {
	words := strings.Split(column, "_")
	for i, word := range words[1:] {
		words[i+1] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, "")
}
