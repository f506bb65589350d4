package changes

import (
	"fmt"

	"forge/internal/entity"
)

// Check returns why changes of entities cannot be logged as they declare it, as sentences.
func Check(entities []*entity.Entity) (findings []string) {
	refuse := func(e *entity.Entity, format string, args ...any) {
		findings = append(findings, e.Name+": "+fmt.Sprintf(format, args...))
	}
	for _, e := range entities {
		switch {
		case !e.Logged:
		case !hasKey(e):
			refuse(e, "its changes cannot be logged, as its key has several columns; give it a key of one column, or take Logged out of its annotation")
		case e.Prefix == "":
			refuse(e, "its changes cannot be logged, as its IDs have no prefix; give it a Prefix, or take Logged out of its annotation")
		}
		for _, name := range e.LoggedFor {
			edge := e.Edge(name)
			if edge == nil || !edge.OwnKey {
				refuse(e, "its LoggedFor names %q, which is no edge whose foreign key is a column of %s", name, e.Table)
				continue
			}
			if to := find(entities, edge.To); to == nil || !to.Logged {
				refuse(e, "its changes are logged as those of %s, by its LoggedFor, but those of %[1]s are not logged; add Logged to the annotation of %[1]s", edge.To)
			}
		}
	}
	return findings
}

// hasKey reports whether the key of an entity is one column.
func hasKey(e *entity.Entity) bool { return len(e.Fields) > 0 && e.Fields[0].Refers == e.Name }

func find(entities []*entity.Entity, name string) *entity.Entity {
	for _, e := range entities {
		if e.Name == name {
			return e
		}
	}
	return nil
}
