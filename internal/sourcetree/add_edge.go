package sourcetree

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"forge/internal/entity"
	"forge/internal/tree"
	"forge/internal/usage"
)

// Edge is a relation to add to two entities.
type Edge struct {
	Entity, Name string
	To, Inverse  string // the other entity, and the name of the edge from there
	Kind         string // one of tree.EdgeKinds
	Required     bool   // each row of Entity leads to one
}

// AddEdge adds a relation: in ent/schema to both entities, with the column and the index of the key
// and who sees it, and in the schema in both directions. Then it generates code. It returns an
// error, and changes nothing, if the relation cannot be added.
func AddEdge(ctx context.Context, o Options, d Edge) error {
	switch {
	case !slices.Contains(tree.EdgeKinds, d.Kind):
		return usage.Errorf("--kind is %q; allowed: %s", d.Kind, strings.Join(tree.EdgeKinds, ", "))
	case d.Inverse == "":
		return usage.Errorf("--inverse names the edge from %s to %s", d.To, d.Entity)
	case d.Required && d.Kind == tree.ManyToMany:
		return usage.Errorf("--required is for edges to one row")
	case d.Required && d.Entity == d.To:
		return usage.Errorf("--required is for edges to other entities: the first row could lead nowhere")
	}
	note := ""
	if d.Required {
		note = "rows of " + d.Entity + " that are there need a value of " + entity.Snake(d.Name) + "_id: the migration has to give one, unless the edge is not --required"
	}
	return change(ctx, o, note, func(t *Tree, e *editor, known *Answer) ([]string, error) {
		for _, end := range [][2]string{{d.Entity, d.Name}, {d.To, d.Inverse}} {
			if err := wantEntity(known, end[0]); err != nil {
				return nil, err
			}
			if err := wantNew(known, end[0], end[1]); err != nil {
				return nil, err
			}
		}
		if d.Entity == d.To && entity.Snake(d.Name) == entity.Snake(d.Inverse) {
			return nil, usage.Errorf("the two directions need two names")
		}
		if known.Known[d.To].Key == "" || d.Kind == tree.ManyToMany && known.Known[d.Entity].Key == "" {
			return nil, usage.Errorf("the key of %s consists of several columns, or its type cannot be referred to; give it a key of one column", d.To)
		}
		return []string{d.Entity + "." + apiName(d.Name), d.To + "." + apiName(d.Inverse)}, d.add(e, known.Known[d.To].Key)
	})
}

// add writes the relation to ent/schema. key is the builder of a column with a key of the other
// entity.
func (d Edge) add(e *editor, key string) error {
	name, inverse := entity.Snake(d.Name), entity.Snake(d.Inverse)
	own := fmt.Sprintf("edge.From(%q, %s.Type).Ref(%q)", name, d.To, inverse)
	other := fmt.Sprintf("edge.To(%q, %s.Type)", inverse, d.Entity)
	if d.Kind == tree.OneToOne {
		other += ".Unique()"
	}
	if d.Entity == d.To {
		own, other = other+fmt.Sprintf(".From(%q)", name), ""
	}
	if d.Kind != tree.ManyToMany {
		if err := d.addKey(e, key, name+"_id"); err != nil {
			return err
		}
		own += fmt.Sprintf(".Field(%q).Unique()", name+"_id")
	}
	if d.Required {
		own += ".Required()"
	}
	for _, end := range [][3]string{{d.Entity, own, d.Name}, {d.To, other, d.Inverse}} {
		if end[1] != "" {
			if err := e.list(end[0], "Edges", "ent.Edge", end[1]); err != nil {
				return err
			}
			e.fileOf(end[0], "Edges").use("entgo.io/ent/schema/edge")
		}
		if err := e.show(end[0], "ShownToAll", apiName(end[2])); err != nil {
			return err
		}
	}
	return nil
}

// addKey adds the column with the key, and its index.
func (d Edge) addKey(e *editor, key, column string) error {
	line := e.blob(fmt.Sprintf(key, column))
	if !d.Required {
		line += ".Optional().Nillable()"
	}
	if err := e.list(d.Entity, "Fields", "ent.Field", line); err != nil {
		return err
	}
	s := e.fileOf(d.Entity, "Fields")
	s.use("entgo.io/ent/schema/field")
	if strings.Contains(line, "uuid.") {
		s.use("github.com/google/uuid")
	}
	if strings.Contains(line, "dialect.") {
		s.use("entgo.io/ent/dialect")
	}
	if d.Kind == tree.OneToOne {
		return nil // the column is unique
	}
	return e.indexes(d.Entity, fmt.Sprintf("index.Fields(%q, \"id\")", column))
}

// fileOf returns the file with a method of an entity, or with its type.
func (e *editor) fileOf(of, method string) *source {
	if s, _ := e.method(of, method); s != nil {
		return s
	}
	return e.typeOf(of)
}
