package api_test

import (
	"fmt"
	"testing"

	"forge/internal/database"
)

// BenchmarkHeroes creates 1,000 heroes, 10 of which are not allowed: in one mutation, and in 1,000
// mutations of one hero each.
func BenchmarkHeroes(b *testing.B) {
	input := make([]vars, 1000)
	for i := range input {
		input[i] = vars{"name": fmt.Sprint("Hero ", i), "age": i % 90}
		if i%100 == 50 {
			input[i]["age"] = -1
		}
	}
	onEach(b, func(b *testing.B, _ *database.DB, send func(query string, v vars) []byte) {
		b.Run("skip", func(b *testing.B) {
			for b.Loop() {
				send(`mutation($input: [CreateHeroInput!]!) { createHeroes(input: $input, onError: SKIP) { heroes { id } errors { index } } }`, vars{"input": input})
			}
		})
		b.Run("single", func(b *testing.B) {
			for b.Loop() {
				for _, one := range input {
					send(`mutation($input: CreateHeroInput!) { createHero(input: $input) { hero { id } } }`, vars{"input": one})
				}
			}
		})
	})
}
