package write

import (
	"slices"
	"strconv"

	"github.com/99designs/gqlgen/graphql"

	"forge/internal/apperr"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/input"
)

// maxNesting is how deep rows may stand inside each other in an input.
const maxNesting = 10

// nested is what a field of an input says of the rows that an edge leads to.
type nested struct {
	name string
	edge *entity.Edge
	to   *entity.Entity
	// own sets the key of the related row, if the row itself holds it. back sets the key of the
	// row in the related row, if that one holds it. Both are nil if a join table does.
	own, back *field
	symmetric bool // the join table has two rows for each pair, since both rows have the same edge
	create    *inputObject
	update    *inputObject
	rows      *inputObject // of the related rows, without fields
}

// These are the parts of a nested input.
const (
	partCreate     = "create"
	partConnect    = "connect"
	partSet        = "set"
	partDisconnect = "disconnect"
	partUpdate     = "update"
	partDelete     = "delete"
)

// parts are the parts of a nested input, in the order in which they are read.
var parts = []string{partCreate, partConnect, partSet, partDisconnect, partUpdate, partDelete}

// through reports whether a join table holds the keys of both rows.
func (n *nested) through() bool { return n.own == nil && n.back == nil }

// link is what the input of a row says of the rows that an edge leads to.
type link struct {
	*nested
	path string // such as "input.tracks"

	create, update              []*Write
	connect, disconnect, remove []reference
	sets                        bool // connect names all rows that are to be related
	// add and drop are the rows that the join table gets, and loses.
	add, drop []ids.ID
}

// reference is an ID in an input.
type reference struct {
	id   ids.ID
	path string
	row  *Write // that the ID is in the input of
}

// namedRow is a row that an input names to change it or, if within is set, to change how it is
// related.
type namedRow struct {
	id     ids.ID
	within *link
}

func newWrite(of *inputObject, op Op, path string) *Write {
	w := &Write{Op: op, of: of, path: path, values: make([]value, len(of.fields))}
	w.target.Deletes = op == Delete || op == Restore
	w.top = w
	return w
}

// decodeNested reads the input of a field that writes related rows.
func (t *tree) decodeNested(w *Write, f *field, sent any) {
	l := &link{nested: f.nested, path: w.path + "." + f.name}
	object, ok := sent.(map[string]any)
	if !ok {
		t.refuse(l.path, "%s cannot be null; leave it out to keep it as it is", f.name)
		return
	}
	w.links = append(w.links, l)
	for _, part := range parts {
		entries := graphql.CoerceList(object[part])
		l.sets = l.sets || part == partSet && object[part] != nil
		for i, entry := range entries {
			path := l.path + "." + part
			if !f.nested.edge.Unique {
				path += "." + strconv.Itoa(i)
			}
			if !t.count(l) {
				return
			}
			t.decodeEntry(w, l, part, path, entry)
		}
	}
	switch {
	case l.edge.Unique && len(l.create)+len(l.connect) > 1:
		t.refuse(l.path, "%s can lead to one row only; say create or connect, not both", f.name)
	case l.sets && hasOthers(object):
		t.refuse(l.path+".set", "set names all rows that are to be related; leave connect, disconnect and delete out")
	}
}

// count counts a row of a nested input. It returns false if there are too many, and adds an error
// about the first of these.
func (t *tree) count(l *link) bool {
	if t.rows > MaxRows {
		return false
	}
	t.rows++
	if l.symmetric {
		t.rows++
	}
	switch {
	case t.rows <= MaxRows:
		return true
	case l.symmetric:
		t.refuse(l.path, "more than %d rows are named in nested inputs; at most %d are allowed; those of %s count twice, since each is related in both directions",
			MaxRows, MaxRows, l.name)
	default:
		t.refuse(l.path, "more than %d rows are named in nested inputs; at most %d are allowed", MaxRows, MaxRows)
	}
	return false
}

// hasOthers reports whether a nested input with set has a part that contradicts it.
func hasOthers(object map[string]any) bool {
	return slices.ContainsFunc([]string{partConnect, partDisconnect, partDelete}, func(part string) bool { return object[part] != nil })
}

// decodeEntry reads one row of a nested input.
func (t *tree) decodeEntry(w *Write, l *link, part, path string, entry any) {
	object, _ := entry.(map[string]any)
	switch part {
	case partCreate:
		if child := t.child(w, l, l.nested.create, path); child != nil {
			l.create = append(l.create, child)
			t.decode(child, object)
		}
		return
	case partUpdate:
		id, ok := t.decodeID(l, part, path+".id", object["id"])
		child := t.child(w, l, l.nested.update, path+".input")
		if child == nil {
			return
		}
		if ok {
			child.ID, child.target.ID = id, id
		}
		l.update = append(l.update, child)
		of, _ := object["input"].(map[string]any)
		t.decode(child, of)
		return
	}
	id, _ := t.decodeID(l, part, path, entry)
	list := map[string]*[]reference{partConnect: &l.connect, partSet: &l.connect, partDisconnect: &l.disconnect, partDelete: &l.remove}[part]
	*list = append(*list, reference{id, path, w})
}

// child returns the write of a nested row. It returns nil, and adds an error, if the row stands too
// deep.
func (t *tree) child(w *Write, l *link, of *inputObject, path string) *Write {
	child := newWrite(of, of.op, path)
	child.top, child.parent, child.within = w.top, w, l
	depth := 0
	for around := w; around != nil; around = around.parent {
		depth++
	}
	if depth > maxNesting {
		t.refuse(path, "rows stand more than %d deep inside each other", maxNesting)
		return nil
	}
	return child
}

// decodeID reads the ID of a related row. It refuses a row that the inputs already name: the two
// might contradict each other.
func (t *tree) decodeID(l *link, part, path string, sent any) (id ids.ID, ok bool) {
	if id, ok = t.decodeKey(path, l.to, sent); !ok {
		return id, false
	}
	var rows []namedRow
	if part != partUpdate && l.own == nil {
		rows = append(rows, namedRow{id, l})
	}
	if l.back != nil || part == partUpdate || part == partDelete {
		rows = append(rows, namedRow{id: id})
	}
	for _, row := range rows {
		if other := t.named[row]; other != "" {
			t.refuse(path, "%s is named at %s already; name a row once", id, other)
			return id, false
		}
		t.named[row] = path
	}
	return id, true
}

// contradiction adds errors if two fields of the input set the same column.
func (t *tree) contradiction(w *Write) {
	for _, l := range w.links {
		for i, f := range w.of.fields {
			if w.values[i].given && f.sets(l.own) {
				t.refuse(l.path, "%s and %s say the same of the row; leave one of them out", l.name, f.name)
			}
		}
	}
	if w.within == nil || w.within.back == nil {
		return
	}
	for i, f := range w.of.fields {
		if w.values[i].given && f.sets(w.within.back) {
			t.refuse(w.path+"."+f.name, "the row belongs to the one around it; leave %s out", f.name)
		}
	}
	for _, l := range w.links {
		if l.own != nil && l.own.sets(w.within.back) {
			t.refuse(l.path, "the row belongs to the one around it; leave %s out", l.name)
		}
	}
}

// check checks the values of a row and of all rows nested in it. It adds an error about each that
// is not allowed.
func (t *tree) check(w *Write, errs *apperr.Errors) {
	form := input.Form{Path: w.path, Errors: errs}
	for i, f := range w.of.fields {
		if v := &w.values[i]; v.given {
			v.any = f.check(&form, w.Op, v.any)
		}
	}
	for _, l := range w.links {
		for _, child := range slices.Concat(l.create, l.update) {
			t.check(child, errs)
		}
	}
}
