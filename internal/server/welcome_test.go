package server

import "testing"

// TestExampleQuery has schemas with a connection, without one, with one that needs an argument, and
// a text that is no schema.
func TestExampleQuery(t *testing.T) {
	t.Parallel()
	for sdl, want := range map[string]string{
		`type Query { one(id: ID!): One things(first: Int, after: ID): ThingConnection! }`:         "{ things(first: 3) { totalCount nodes { id } } }",
		`type Query { one: One } extend type Query { things(first: Int! = 20): ThingConnection! }`: "{ things(first: 3) { totalCount nodes { id } } }",
		`type Query { things(first: Int, of: ID!): ThingConnection! all: ThingConnection! }`:       "",
		`type Mutation { things(first: Int): ThingConnection! } type Query { name: String }`:       "",
		`type Query {`: "",
	} {
		if got := exampleQuery(sdl); got != want {
			t.Errorf("%s: %q, want %q", sdl, got, want)
		}
	}
}
