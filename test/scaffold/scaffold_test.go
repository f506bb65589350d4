// Package scaffold tests what scaffold writes: for the demo and the other applications of the
// tests, from nothing, and in a source tree.
package scaffold

import (
	"testing"

	demo "forge/ent"
	demomigrate "forge/ent/migrate"
	_ "forge/ent/runtime"
	"forge/internal/entity"
	"forge/internal/scaffold"
	"forge/internal/schema"
	chinook "forge/test/chinook/ent"
	chinookmigrate "forge/test/chinook/ent/migrate"
	_ "forge/test/chinook/ent/runtime"
	edges "forge/test/edges/ent"
	edgesmigrate "forge/test/edges/ent/migrate"
	_ "forge/test/edges/ent/runtime"
	kinds "forge/test/kinds/ent"
	kindsmigrate "forge/test/kinds/ent/migrate"
	_ "forge/test/kinds/ent/runtime"
	rules "forge/test/rules/ent"
	rulesmigrate "forge/test/rules/ent/migrate"
	_ "forge/test/rules/ent/runtime"
)

// apps are the applications whose whole schema is written.
var apps = []struct {
	name     string
	entities []*entity.Entity
	tables   []*schema.Table
}{
	{"demo", demo.Entities, demomigrate.Tables},
	{"chinook", chinook.Entities, chinookmigrate.Tables},
	{"edges", edges.Entities, edgesmigrate.Tables},
	{"kinds", kinds.Entities, kindsmigrate.Tables},
	{"rules", rules.Entities, rulesmigrate.Tables},
}

// write returns what scaffold makes of a source.
func write(t *testing.T, s scaffold.Source, names ...string) *scaffold.Result {
	t.Helper()
	r, err := scaffold.Write(s, names...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
