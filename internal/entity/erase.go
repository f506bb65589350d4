package entity

import (
	"fmt"
	"slices"
)

// Erase says what becomes of a column, or of a row, when the account that owns the row is erased.
type Erase string

// These are the rules. Of a column of the account itself that has none, a text is cleared or
// replaced, and other values are cleared if they may be null, and kept if not. Columns and rows of
// other entities that have no rule are kept.
const (
	Keep    Erase = "keep"
	Clear   Erase = "clear"   // of a column: null; of a list of files, named by its edge: empty
	Replace Erase = "replace" // of a text: another one, which says nothing of the account, and is unique
	Release Erase = "release" // of a row: it has no owner any more
	Remove  Erase = "remove"  // of a row
)

// Account returns the entity whose rows are accounts, which has the column erase_at. It returns nil
// if there is none.
func Account(entities []*Entity) *Entity {
	for _, e := range entities {
		if e.Column("erase_at") != nil {
			return e
		}
	}
	return nil
}

// CheckErase returns an error if a rule cannot be kept, such as Clear of a column that must not be
// null. owner is the column with the ID of the row's owner, or "". far says that another row has
// the owner.
func (e *Entity) CheckErase(owner string, far bool) error {
	for column, rule := range e.Personal {
		f := e.Column(column)
		switch {
		case f == nil && e.FileList(column) != nil && (rule == Keep || rule == Clear):
		case f == nil && e.FileList(column) != nil:
			return fmt.Errorf("entity.Annotation: Personal of %s has the rule %q for %s, a list of files, which is cleared or kept", e.Name, rule, column)
		case f == nil:
			return fmt.Errorf("entity.Annotation: Personal of %s names %s, which is not a column, and no list of files", e.Name, column)
		case rule == Clear && !f.Nullable:
			return fmt.Errorf("entity.Annotation: Personal of %s has %s cleared, which must not be null; make the field Optional, or give it another rule", e.Name, column)
		case rule == Replace && f.Kind != String:
			return fmt.Errorf("entity.Annotation: Personal of %s has %s replaced, which is not a text; give it another rule", e.Name, column)
		case rule != Keep && (f.Kind == ID && !e.HoldsFile(column) || column == owner):
			return fmt.Errorf("entity.Annotation: Personal of %s names the key %s; what becomes of the row is said by OwnerErased", e.Name, column)
		case !slices.Contains([]Erase{Keep, Clear, Replace}, rule):
			return fmt.Errorf("entity.Annotation: Personal of %s has the rule %q for %s, which is for rows, or for nothing", e.Name, rule, column)
		}
	}
	switch of := e.Column(owner); {
	case e.OwnerErased == "":
		return nil
	case far && slices.Contains([]Erase{Keep, Remove}, e.OwnerErased):
		return nil
	case far && e.OwnerErased == Release:
		return fmt.Errorf("entity.Annotation: rows of %s cannot be released, because another row has their owner; keep or remove them", e.Name)
	case of == nil || of == &e.Fields[0]:
		return fmt.Errorf("entity.Annotation: %s has OwnerErased, and no column with the ID of another row", e.Name)
	case e.OwnerErased == Release && !of.Nullable:
		return fmt.Errorf("entity.Annotation: rows of %s cannot be released, because %s must not be null; keep or remove them", e.Name, owner)
	case !slices.Contains([]Erase{Keep, Release, Remove}, e.OwnerErased):
		return fmt.Errorf("entity.Annotation: OwnerErased of %s is %q, which is for columns, or for nothing", e.Name, e.OwnerErased)
	}
	return nil
}

// HoldsFile reports whether a column holds the key of a file.
func (e *Entity) HoldsFile(column string) bool {
	return slices.ContainsFunc(e.Edges, func(edge Edge) bool { return edge.Files != nil && edge.OwnKey && edge.Column == column })
}

// FileList returns the edge of that name to a list of files, or nil.
func (e *Entity) FileList(name string) *Edge {
	for i := range e.Edges {
		if edge := &e.Edges[i]; edge.Name == name && edge.Files != nil && !edge.OwnKey {
			return edge
		}
	}
	return nil
}

// Column returns the field of a column, or nil.
func (e *Entity) Column(name string) *Field {
	for i := range e.Fields {
		if name != "" && e.Fields[i].Column == name {
			return &e.Fields[i]
		}
	}
	return nil
}
