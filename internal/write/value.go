package write

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"entgo.io/ent"
	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"forge/internal/apperr"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/input"
	"forge/internal/read/kind"
)

// field is a field of an input.
type field struct {
	name     string
	column   *entity.Field // that it sets; nil if it sets none
	edge     *entity.Edge  // that it sets, if it is no column
	nested   *nested       // the related rows that it writes; nil if it is a value
	mutual   bool          // it sets an edge that both rows have, so that it changes both
	holdsID  bool
	to       *entity.Entity // whose ID it holds; nil if it may be of any
	added    Check          // of the application, or nil
	nullable bool           // null is allowed
	clients  bool           // it is the key, which the client has made
	defaults bool           // the schema has a default, which is standard
	standard any
	limits   limits
}

// sets reports whether two fields set the same column or edge.
func (f *field) sets(other *field) bool {
	return f != nil && other != nil && f.key() != "" && f.key() == other.key()
}

// key returns the column that the field sets, or "" if it sets none of the row's own columns.
func (f *field) key() string {
	switch {
	case f.column != nil:
		return f.column.Column
	case f.edge != nil:
		return f.edge.Column
	}
	return ""
}

// refuse adds a BAD_USER_INPUT error about the argument at a path. The message is only made if the
// error is to be shown.
func (t *tree) refuse(path, format string, args ...any) {
	if t.faults.Full() {
		t.faults.Skip()
		return
	}
	t.faults.Add(apperr.BadInput(path, format, args...))
}

// decode reads an input object. It adds errors about values that are not of their types, or that
// contradict others.
func (t *tree) decode(w *Write, object map[string]any) {
	for i, f := range w.of.fields {
		sent, given := object[f.name]
		if !given {
			sent, given = f.standard, f.defaults
		}
		switch {
		case given && f.nested != nil:
			t.decodeNested(w, f, sent)
		case given:
			t.decodeValue(w, i, sent)
		}
	}
	t.contradiction(w)
}

// decodeValue reads the value of a field. One that is not of its type counts as not given.
func (t *tree) decodeValue(w *Write, i int, sent any) {
	f, v := w.of.fields[i], &w.values[i]
	v.given = true
	if sent == nil {
		return
	}
	var err error
	if v.any, err = f.decode(sent); err != nil {
		*v = value{}
		t.malformed(w.path+"."+f.name, f.to, err)
	}
}

// elementError is an error about an element of a list.
type elementError struct {
	index int
	error
}

// malformed adds the error about a value that is not of its type. Of an ID, it says what one of the
// wanted entity looks like.
func (t *tree) malformed(path string, to *entity.Entity, err error) {
	if of, ok := errors.AsType[elementError](err); ok {
		path, err = path+"."+strconv.Itoa(of.index), of.error
	}
	if malformed, ok := errors.AsType[*ids.MalformedError](err); ok && to != nil {
		t.refuse(path, "%s", malformed.Wanted(to.Prefix, to.Keys))
		return
	}
	t.refuse(path, "%s", err)
}

// decode returns a value in the form that Check and entity.Writer take.
func (f *field) decode(sent any) (any, error) {
	switch {
	case f.holdsID:
		var id ids.ID
		err := id.UnmarshalGQL(sent)
		return id, err
	case f.column == nil:
		return plain(sent)
	case f.column.Kind == entity.List:
		return f.list(graphql.CoerceList(sent))
	}
	k, _ := kind.Of(f.column.Kind)
	if k.Value != nil {
		return k.Value(f.column, sent)
	}
	return k.Argument(f.column, sent)
}

// plain returns the value of a field that is no column: a number as int64 or float64.
func plain(sent any) (any, error) {
	number, ok := sent.(json.Number)
	if !ok {
		return sent, nil
	}
	if n, err := number.Int64(); err == nil {
		return n, nil
	}
	return number.Float64()
}

// list returns a list as it is stored.
func (f *field) list(elements []any) (any, error) {
	k, _ := kind.Of(entity.List)
	b := []byte{'['}
	for i, element := range elements {
		value, err := k.Argument(f.column, element)
		if err != nil {
			return nil, elementError{i, err}
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, value.(json.RawMessage)...)
	}
	return append(b, ']'), nil
}

// check returns the value in the form that is stored, and adds an error to the form if it is not
// allowed.
func (f *field) check(form *input.Form, op Op, v any) any {
	switch {
	case v == nil && !f.nullable:
		if op == Create {
			form.Refuse(f.name, "cannot be null; leave it out for the value that it has by default")
		} else {
			form.Refuse(f.name, "cannot be null; leave it out to keep it as it is")
		}
		return nil
	case v == nil:
		return nil
	case f.added != nil:
		return f.added(form, f.name, v)
	case f.to != nil:
		if err := input.WantID(form.Path+"."+f.name, v.(ids.ID), f.to.Prefix, f.to.Keys); err != nil {
			form.Add(err)
		} else if f.clients {
			checkClientID(form, f.name, v.(ids.ID).UUID, time.Now())
		}
		return v
	}
	return f.limits.check(form, f, v)
}

// These bound the time in an ID that a client has made. Its clock may be a day ahead: a time
// further ahead would put the row at the end of the order of IDs until then.
const clientAhead = 24 * time.Hour

var clientSince = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// checkClientID adds an error to the form unless a key is a UUID of version 7 whose time is
// plausible. Keys of other versions would not sort by their time.
func checkClientID(form *input.Form, name string, key uuid.UUID, now time.Time) {
	made := time.UnixMilli(int64(binary.BigEndian.Uint64(key[:8]) >> 16))
	switch {
	case key.Version() != 7 || key.Variant() != uuid.RFC4122:
		form.Refuse(name, "has a key that is not a UUID of version 7")
	case made.Before(clientSince) || made.After(now.Add(clientAhead)):
		form.Refuse(name, "has the time %s; it must be from %s to a day from now", made.UTC().Format(time.RFC3339), clientSince.Format(time.DateOnly))
	}
}

// set sets the field in ent's mutation.
func (f *field) set(w *entity.Writer, m ent.Mutation, v any) error {
	if id, ok := v.(ids.ID); ok && f.to != nil {
		v = key(id, f.to.Keys)
	}
	switch {
	case f.column != nil && v == nil && m.Op().Is(ent.OpCreate):
		return nil
	case f.column != nil && v == nil:
		return m.ClearField(f.column.Column)
	case f.column != nil:
		return w.Set[f.column.Column](m, v)
	case f.edge != nil:
		w.Link[f.edge.Name](m, v)
	}
	return nil
}

// key returns the key in an ID in the form that entity.Writer takes.
func key(id ids.ID, of ids.Form) any {
	switch of {
	case ids.Number:
		n, _ := id.Int()
		return n
	case ids.Text:
		return id.Text
	}
	return id.UUID
}

// limits are what a value of a column has to be, as its type and the CHECKs of its table say.
type limits struct {
	line            bool
	shortest, most  int   // of a text, in characters
	least, greatest int64 // of a whole or a decimal number
	digits, scale   int32 // of a decimal number; 0 if it may have any
}

// check returns the value, without the blanks around it if it is a line. It adds an error to the
// form if the value is not within the limits.
func (l *limits) check(form *input.Form, f *field, v any) any {
	switch v := v.(type) {
	case string:
		switch {
		case l.line && f.nullable:
			if text := form.Optional(f.name, &v, l.most); text != nil {
				return *text
			}
			return nil
		case l.line:
			return form.Text(f.name, v, l.most)
		}
		if !utf8.ValidString(v) || strings.Contains(v, "\x00") {
			form.Refuse(f.name, "has a character that cannot be stored, such as U+0000")
		} else if n := utf8.RuneCountInString(v); n > l.most {
			form.Refuse(f.name, "has %d characters; at most %d are allowed", n, l.most)
		} else if n < l.shortest {
			form.Refuse(f.name, "has %d characters; at least %d are wanted", n, l.shortest)
		}
	case int64:
		if v < l.least || v > l.greatest {
			form.Refuse(f.name, "is %d; it must be from %d to %d", v, l.least, l.greatest)
		}
	case decimal.Decimal:
		if l.digits > 0 {
			form.Decimal(f.name, v, l.digits, l.scale)
		}
		if v.LessThan(decimal.NewFromInt(l.least)) && l.least > math.MinInt64 {
			form.Refuse(f.name, "must be at least %d", l.least)
		} else if v.GreaterThan(decimal.NewFromInt(l.greatest)) && l.greatest < math.MaxInt64 {
			form.Refuse(f.name, "must be at most %d", l.greatest)
		}
	}
	return v
}
