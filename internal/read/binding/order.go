package binding

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
	"forge/internal/read/kind"
	"forge/internal/rule"
	"forge/internal/search"
)

// Order is what pages are ordered by, as one value of an enum XOrderField says: a column of the
// entity, a column of the one related row that an edge leads to, the number of related rows, or how
// well a row fits the argument search.
type Order struct {
	Field    *entity.Field  // the column; nil if related rows are counted
	Edge     *entity.Edge   // the edge to the related rows; nil for a column of the entity itself
	To       *Object        // as of Filter
	Join     *entity.Entity // as of Field
	Count    bool           // the number of related rows is compared
	Fit      bool           // search.Relevance is compared
	Shown    string         // the API field that shows Field of the related row, which each row has; or ""
	Nullable bool           // some rows have NULL, which comes last in both directions
	Closed   bool           // only administrators may order by it
	// IndexedBelow are the columns with keys of other rows that begin an index in which Field comes
	// next. Package index sets them.
	IndexedBelow []string
}

// Kind returns the kind of the values that are compared.
func (o *Order) Kind() entity.Kind {
	if o.Count || o.Fit {
		return entity.BigInt
	}
	return o.Field.Kind
}

// String describes the order in a finding.
func (o *Order) String() string {
	switch {
	case o.Fit:
		return "what search finds"
	case o.Count:
		return "the number of rows of the edge " + o.Edge.Name
	case o.Edge != nil:
		return "the column " + o.Field.Column + " of type " + o.Field.Type + " of the edge " + o.Edge.Name
	}
	return "the column " + o.Field.Column + " of type " + o.Field.Type
}

// Name returns a text that is the same for orders by the same column or number, and for no others.
func (o *Order) Name() string {
	switch {
	case o.Fit:
		return "#"
	case o.Edge == nil:
		return o.Field.Column
	case o.Count:
		return o.Edge.Name + "#"
	}
	return o.Edge.Name + "." + o.Field.Column
}

func (b *binder) bindOrders(o *Object, def *ast.Definition) {
	o.Orders = map[string]*Order{}
	if def == nil {
		return
	}
	b.checkDirectives(def.Name, def.Directives)
	for _, value := range def.EnumValues {
		at := def.Name + "." + value.Name
		b.checkDirectives(at, value.Directives)
		if by := b.orderOf(at, o, value.Name); by != nil {
			o.Orders[value.Name] = by
		}
	}
}

// orderOf returns the order that a name stands for. It adds a finding and returns nil if the name
// stands for none or for several, or if pages cannot be ordered by it.
func (b *binder) orderOf(at string, o *Object, name string) *Order {
	all := b.parseOrder(o.Entity, strings.ReplaceAll(name, "_", ""))
	switch {
	case len(all) == 0 && name == relevance:
		b.refuse(at, "it orders by what the argument search finds; "+noSearch, o.Entity.Name)
		return nil
	case len(all) == 0:
		b.refuse(at, "%s has no column of this name in ent/schema to order by; allowed are the names of columns in upper case, "+
			"those of an edge to one row followed by a column of that row, and those of an edge to many rows followed by COUNT", o.Entity.Name)
		return nil
	case len(all) > 1:
		b.refuse(at, "it can be read in two ways, as %s or as %s of %s; rename one of them", all[0], all[1], o.Entity.Name)
		return nil
	}
	by, of := all[0], o.Entity
	if by.Fit && o.Of != "" {
		b.refuse(at, "it orders by what the argument search finds, and rows of several entities cannot be searched")
		return nil
	}
	if by.Edge != nil {
		if of = b.all[by.Edge.To]; !b.bindRelated(at, o, by) {
			return nil
		}
	}
	if by.Field != nil {
		if !ordered(by.Field) {
			b.refuse(at, "pages cannot be ordered by the column %s, which is of type %s in ent/schema", by.Field.Column, by.Field.Type)
			return nil
		}
		if !b.readable(at, of, by.Field) {
			return nil
		}
		if by.Shown != "" {
			by.Nullable, by.Closed = by.Field.Nullable, rule.Visible(o.Entity, by.Shown) != entity.ToAll
			return by
		}
		by.Nullable = by.Nullable || by.Field.Nullable
		by.Closed = by.Closed || rule.Visible(of, by.Field.Name) != entity.ToAll
	}
	return by
}

// parseOrder returns all orders that a name in any case and without underscores can stand for: that
// of a column, of a field that shows a column of the row that an edge leads to, of an edge and a
// column of that row, or of an edge and count. The
// columns of the row that an edge leads to are without keys: ALBUM_ID is the column albumId.
func (b *binder) parseOrder(e *entity.Entity, name string) (all []*Order) {
	if name == relevance && len(e.Search) > 0 {
		all = append(all, &Order{Fit: true})
	}
	for i := range e.Fields {
		if strings.EqualFold(e.Fields[i].Name, name) {
			all = append(all, &Order{Field: &e.Fields[i]})
		}
	}
	for i := range e.Edges {
		edge := &e.Edges[i]
		to := b.all[edge.To]
		switch {
		case !edge.Unique && strings.EqualFold(edge.Name+"Count", name):
			all = append(all, &Order{Edge: edge, Count: true})
		case edge.Unique && to != nil:
			for shown, column := range edge.Shows {
				if f := (&Object{Entity: to}).columnNamed(column); f != nil && strings.EqualFold(shown, name) {
					all = append(all, &Order{Edge: edge, Field: f, Shown: shown})
				}
			}
			for j := range to.Fields {
				if to.Fields[j].Kind != entity.ID && strings.EqualFold(edge.Name+to.Fields[j].Name, name) {
					all = append(all, &Order{Edge: edge, Field: &to.Fields[j]})
				}
			}
		}
	}
	return all
}

// relevance is the name of the order by how well a row fits the argument search.
const relevance = "RELEVANCE"

// noSearch is the end of a finding about search where an entity declares nothing for it.
const noSearch = "%s declares no columns for that in ent/schema: entity.Annotation{Search: []string{…}}"

// checkSearch checks the columns whose words the argument search looks for.
func (b *binder) checkSearch(e *entity.Entity) {
	at := e.Name
	if len(e.Search) > search.MaxColumns {
		b.refuse(at, "Search in ent/schema names %d columns; at most %d can be searched", len(e.Search), search.MaxColumns)
	}
	if len(e.Search) > 0 && b.keyOf(e) == nil {
		b.refuse(at, "it cannot be searched, as its key consists of several columns; take Search out in ent/schema")
	}
	for i, name := range e.Search {
		switch f := e.Field(name); {
		case f == nil:
			b.refuse(at, "Search in ent/schema names %s, which is no column of %s; allowed are the API names of its columns of texts", name, e.Name)
		case slices.Contains(e.Search[:i], name):
			b.refuse(at, "Search in ent/schema names %s twice", name)
		case f.Kind != entity.String:
			b.refuse(at, "Search in ent/schema names %s, which is of type %s; only texts can be searched", name, f.Type)
		case f.Sensitive:
			b.refuse(at, "Search in ent/schema names %s, which is Sensitive(): whoever searches would learn its words", name)
		case e.Visible[name] != entity.ToAll:
			b.refuse(at, "Search in ent/schema names %s, which not everybody may see: whoever searches would learn its words; name it in ShownToAll, or take it out", name)
		}
	}
}

// bindRelated binds an order by related rows, and reports whether there are rules for them.
func (b *binder) bindRelated(at string, o *Object, by *Order) bool {
	by.To, by.Join = b.related(by.Edge.To), b.all[by.Edge.Join]
	switch {
	case by.To == nil:
		b.refuse(at, "the edge %s of %s leads to %s, which ent/schema does not have", by.Edge.Name, o.Entity.Name, by.Edge.To)
	case by.Join != nil && !by.Join.Ruled:
		b.refuse(at, noRules, by.Edge.Name, o.Entity.Name, by.Join.Name)
	default:
		by.Nullable = !by.Count
		by.Closed = rule.Visible(o.Entity, by.Edge.Name) != entity.ToAll
		return true
	}
	return false
}

// ordered reports whether pages can be ordered by the column.
func ordered(f *entity.Field) bool {
	k, ok := kind.Of(f.Kind)
	return ok && k.Orders
}
