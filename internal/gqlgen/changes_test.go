package main

import (
	"testing"

	"github.com/99designs/gqlgen/codegen/config"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// TestMutateSchemaChanges takes what shows the log of changes out of a schema, but no type that
// another field uses.
func TestMutateSchemaChanges(t *testing.T) {
	t.Parallel()
	s := gqlparser.MustLoadSchema(&ast.Source{Input: `
		interface Node { id: ID! }
		type Query { node(id: ID!): Node changeCursor: ChangeCursor! changes(types: [ChangeType!], after: ChangeCursor!, first: Int): NodeChanges! kinds: [ChangeKind!] }
		scalar ChangeCursor
		type NodeChanges { cursor: ChangeCursor! changes: [NodeChange!]! }
		type NodeChange { kind: ChangeKind! id: ID node: Node }
		enum ChangeKind { CREATED UPDATED REMOVED MANY }
		enum ChangeType { TREE }
		type Tree implements Node { id: ID! }
		type Subscription { treeChanges(ids: [ID!], after: ChangeCursor): TreeChanges! changes(types: [ChangeType!]): NodeChanges! live(every: Int! = 1000): Query! }
		type TreeChanges { cursor: ChangeCursor! changes: [TreeChange!]! }
		type TreeChange { kind: ChangeKind! id: ID tree: Tree }`})
	if err := (plugin{&config.Config{}}).MutateSchema(s); err != nil {
		t.Fatal(err)
	}
	if s.Query.Fields.ForName("changes") != nil || s.Query.Fields.ForName("changeCursor") != nil || s.Query.Fields.ForName("node") == nil {
		t.Errorf("gqlgen knows the fields %v", s.Query.Fields)
	}
	if s.Subscription != nil {
		t.Error("gqlgen knows Subscription")
	}
	for name, want := range map[string]bool{"NodeChanges": false, "NodeChange": false, "ChangeType": false, "ChangeCursor": false, "ChangeKind": true, "Node": true,
		"Subscription": false, "TreeChanges": false, "TreeChange": false, "Tree": true, "Query": true} {
		if got := s.Types[name] != nil; got != want {
			t.Errorf("gqlgen knows %s: %t, want %t", name, got, want)
		}
	}
}
