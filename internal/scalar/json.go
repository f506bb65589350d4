package scalar

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
)

// These bound the documents in arguments. PostgreSQL's jsonb takes larger ones.
const (
	maxJSONBytes = 256 << 10
	maxJSONDepth = 64
)

// UnmarshalJSON reads a JSON document of any kind. Numbers stay as they are written. What
// PostgreSQL cannot store in jsonb is refused.
func UnmarshalJSON(value any) (any, error) {
	_, err := JSONText(value)
	return value, err
}

// JSONText reads a JSON document as UnmarshalJSON does, and returns the text of it that
// CanonicalJSON makes.
func JSONText(value any) (string, error) {
	b, err := appendArgument(nil, value, maxJSONDepth)
	return string(b), err
}

// appendArgument appends a value as JSON. It returns an error if the value is too large or too
// deep, or cannot be stored in jsonb.
func appendArgument(b []byte, value any, depth int) (_ []byte, err error) {
	switch {
	case depth == 0:
		return b, invalid("this is not a JSON that can be stored: lists and objects stand more than %d deep inside each other", maxJSONDepth)
	case len(b) > maxJSONBytes:
		return b, invalid("this is not a JSON that can be stored: it has more than %d bytes", maxJSONBytes)
	}
	switch v := value.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case string:
		if !isText(v) {
			return b, invalid("this is not a JSON that can be stored: a text holds a zero character or is not UTF-8")
		}
		if len(b)+len(v) > maxJSONBytes {
			return appendArgument(append(b, v...), nil, depth)
		}
		return AppendText(b, v), nil
	case map[string]any:
		b = append(b, '{')
		for i, name := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b = append(b, ',')
			}
			if b, err = appendArgument(b, name, depth); err != nil {
				return b, err
			}
			if b, err = appendArgument(append(b, ':'), v[name], depth-1); err != nil {
				return b, err
			}
		}
		return append(b, '}'), nil
	case []any:
		b = append(b, '[')
		for i, element := range v {
			if i > 0 {
				b = append(b, ',')
			}
			if b, err = appendArgument(b, element, depth-1); err != nil {
				return b, err
			}
		}
		return append(b, ']'), nil
	}
	text, ok := numberText(value)
	n, isNumber := parseNumber(text)
	if !ok || !isNumber || !n.fits() {
		return b, invalid("this is not a JSON that can be stored: %s has more than %d digits before or after its point", quoted(value), maxDigits)
	}
	return n.append(b), nil
}

// MarshalJSON writes a JSON document.
func MarshalJSON(value any) graphql.Marshaler {
	text, err := json.Marshal(value)
	if err == nil {
		var ok bool
		if text, ok = AppendJSON(nil, text); ok {
			return written(text)
		}
	}
	return graphql.Null
}

// AppendJSON appends a JSON document in the one form that it has in answers, whichever database it
// is from: without blanks, with the members of objects sorted by name, the last one of each name,
// and each number in one form. No number is rounded. AppendJSON returns false if the text is not
// JSON.
func AppendJSON(b, text []byte) ([]byte, bool) {
	value, ok := decodeJSON(text)
	if !ok {
		return b, false
	}
	return appendJSON(b, value)
}

// decodeJSON decodes a document. Numbers become json.Number.
func decodeJSON(text []byte) (value any, ok bool) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if d.Decode(&value) != nil {
		return nil, false
	}
	_, err := d.Token()
	return value, err == io.EOF
}

func appendJSON(b []byte, value any) (_ []byte, ok bool) {
	ok = true
	switch v := value.(type) {
	case nil:
		return append(b, "null"...), true
	case bool:
		return strconv.AppendBool(b, v), true
	case string:
		return AppendText(b, v), true
	case json.Number:
		n, isNumber := parseNumber(string(v))
		if !isNumber {
			return b, false
		}
		return n.append(b), true
	case map[string]any:
		b = append(b, '{')
		for i, name := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b = append(b, ',')
			}
			if b, ok = appendJSON(append(AppendText(b, name), ':'), v[name]); !ok {
				return b, false
			}
		}
		return append(b, '}'), true
	case []any:
		b = append(b, '[')
		for i, element := range v {
			if i > 0 {
				b = append(b, ',')
			}
			if b, ok = appendJSON(b, element); !ok {
				return b, false
			}
		}
		return append(b, ']'), true
	}
	return b, false
}

// AppendList appends a list that is stored as a JSON array. one appends an element from its text.
// Go's nil, which is stored as null, is an empty list. AppendList returns false if the text is not
// a list of such elements.
func AppendList(b, text []byte, one func(b, element []byte) ([]byte, bool)) ([]byte, bool) {
	value, ok := decodeJSON(text)
	list, isList := value.([]any)
	if !ok || value != nil && !isList {
		return b, false
	}
	b = append(b, '[')
	for i, element := range list {
		if i > 0 {
			b = append(b, ',')
		}
		var cell []byte
		switch v := element.(type) {
		case string:
			cell = []byte(v)
		case json.Number:
			cell = []byte(v)
		case bool:
			cell = strconv.AppendBool(nil, v)
		default:
			return b, false
		}
		if b, ok = one(b, cell); !ok {
			return b, false
		}
	}
	return append(b, ']'), true
}

// JSONEqual reports whether two documents are equal, as PostgreSQL's operator = for jsonb does.
func JSONEqual(a, b []byte) bool {
	x, first := AppendJSON(nil, a)
	y, second := AppendJSON(nil, b)
	return first && second && bytes.Equal(x, y)
}

// JSONHasKey reports whether a document is an object that has a member of the name.
func JSONHasKey(text []byte, name string) bool {
	value, _ := decodeJSON(text)
	members, _ := value.(map[string]any)
	_, has := members[name]
	return has
}

// JSONContains reports whether a document contains another, as PostgreSQL's operator @> for jsonb
// does.
func JSONContains(text, part []byte) bool {
	whole, first := decodeJSON(text)
	of, second := decodeJSON(part)
	if !first || !second {
		return false
	}
	if list, isList := whole.([]any); isList && isScalar(of) {
		return slices.ContainsFunc(list, func(element any) bool { return contains(element, of) })
	}
	return contains(whole, of)
}

func isScalar(value any) bool {
	switch value.(type) {
	case map[string]any, []any:
		return false
	}
	return true
}

func contains(whole, part any) bool {
	switch part := part.(type) {
	case map[string]any:
		members, ok := whole.(map[string]any)
		for name, value := range part {
			member, has := members[name]
			if !has || !contains(member, value) {
				return false
			}
		}
		return ok
	case []any:
		list, ok := whole.([]any)
		known := leavesOf(list, part)
		for _, value := range part {
			if !known.has(list, value) {
				return false
			}
		}
		return ok
	case json.Number:
		number, ok := whole.(json.Number)
		x, _ := parseNumber(string(number))
		y, _ := parseNumber(string(part))
		return ok && x == y
	}
	return isScalar(whole) && whole == part
}

// JSONHasSome reports whether a list has at least one of the elements of another.
func JSONHasSome(text, elements []byte) bool {
	value, _ := decodeJSON(text)
	wanted, _ := decodeJSON(elements)
	list, _ := value.([]any)
	some, _ := wanted.([]any)
	known := leavesOf(list, some)
	return slices.ContainsFunc(some, func(want any) bool { return known.has(list, want) })
}

// leaves are the elements of a list that are neither lists nor objects, each in its one form. To
// look for many values in the list itself would take a step for each pair.
type leaves map[string]bool

// leavesOf returns the leaves of a list in which the wanted values are looked for.
func leavesOf(list, wanted []any) leaves {
	if !slices.ContainsFunc(wanted, isScalar) {
		return nil
	}
	known := make(leaves, len(list))
	for _, element := range list {
		if isScalar(element) {
			if text, ok := appendJSON(nil, element); ok {
				known[string(text)] = true
			}
		}
	}
	return known
}

// has reports whether the list has an element that contains a value.
func (l leaves) has(list []any, value any) bool {
	if isScalar(value) {
		text, ok := appendJSON(nil, value)
		return ok && l[string(text)]
	}
	return slices.ContainsFunc(list, func(element any) bool { return !isScalar(element) && contains(element, value) })
}

// JSONAt reports whether the value at a path of a document equals another, as PostgreSQL's
// operators #> and = do. A step is the name of a member, or the index of an element, from the end
// if it is negative.
func JSONAt(text []byte, path []string, want []byte) bool {
	value, _ := decodeJSON(text)
	for _, step := range path {
		switch v := value.(type) {
		case map[string]any:
			member, has := v[step]
			if !has {
				return false
			}
			value = member
		case []any:
			i, err := strconv.Atoi(strings.TrimLeft(step, " \t\n\v\f\r"))
			if i < 0 {
				i += len(v)
			}
			if err != nil || i < 0 || i >= len(v) {
				return false
			}
			value = v[i]
		default:
			return false
		}
	}
	at, ok := appendJSON(nil, value)
	return ok && JSONEqual(at, want)
}
