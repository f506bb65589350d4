package rule

import "strings"

// argument returns the name of a column in the API: "ownerId" for "owner_id".
func argument(column string) string {
	words := strings.Split(column, "_")
	for i, word := range words[1:] {
		words[i+1] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, "")
}
