package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/codegen/config"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// TestMutateSchema takes standard mutations out of a schema, but not those that have a resolver,
// nor what others use.
func TestMutateSchema(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	source := "package graph\n\nfunc (r *mutationResolver) CreateTree() {}\nfunc (r *queryResolver) UpdateTree() {}\n"
	if err := os.WriteFile(filepath.Join(dir, "schema.resolvers.go"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	s := gqlparser.MustLoadSchema(&ast.Source{Input: `
		type Query { tree: Tree trees: TreeConnection! leaves: [Leaf] }
		type TreeConnection { nodes: [Tree!]! }
		interface Node { id: ID! }
		type Tree implements Node { id: ID! }
		type Leaf { n: Int }
		type Mutation {
			createTree(input: TreeInput!): TreePayload!
			updateTree(id: ID!, input: UpdateTreeInput!): UpdateTreePayload!
			deleteTree(id: ID!): DeleteTreePayload!
			createLeaf(input: LeafInput): Leaf
			createNothing: Int
			createTrees(input: [TreeInput!]!): CreateTreesPayload!
			restoreTrees: Int
			createLeaves: Int
			plant(input: TreeInput!): Tree
		}
		input TreeInput { height: Int }
		input UpdateTreeInput { height: Int more: More }
		input More { again: UpdateTreeInput tree: TreeInput }
		input LeafInput { n: Int }
		type TreePayload { tree: Tree! }
		type UpdateTreePayload { tree: Tree! }
		type CreateTreesPayload { trees: [Tree!]! errors: [TreeError!]! }
		type TreeError { index: Int! }
		type DeleteTreePayload { deletedId: ID! }`})
	before := slices.Sorted(maps.Keys(s.Types))
	cfg := &config.Config{Resolver: config.ResolverConfig{Layout: config.LayoutFollowSchema, DirName: dir, Package: "graph", Type: "Resolver"},
		Models: config.TypeMap{"Mutation": {Fields: map[string]config.TypeMapField{"deleteTree": {Resolver: true}}}}}
	if err := (plugin{cfg}).MutateSchema(s); err != nil {
		t.Fatal(err)
	}
	var fields []string
	for _, f := range s.Mutation.Fields {
		fields = append(fields, f.Name)
	}
	if got := strings.Join(fields, " "); got != "createTree deleteTree createLeaf createNothing restoreTrees createLeaves plant" {
		t.Errorf("gqlgen knows the mutations %s", got)
	}
	gone := slices.DeleteFunc(before, func(name string) bool { return s.Types[name] != nil })
	if got := strings.Join(gone, " "); got != "CreateTreesPayload More TreeError UpdateTreeInput UpdateTreePayload" {
		t.Errorf("gqlgen does not know the types %s", got)
	}
}
