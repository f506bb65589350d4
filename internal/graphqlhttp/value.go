package graphqlhttp

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"

	"forge/internal/scalar"
)

// MaxValues is the largest number of values in the variables of a request, and likewise in its
// extensions. Values inside lists and objects count as well. An empty object has two bytes, but
// takes hundreds of bytes when it is decoded, and validation searches it for each field of its
// type.
const MaxValues = 20_000

// countValues returns how many values there are in a text of valid JSON. It counts the outermost
// one, one for each bracket that is not closed at once, and one for each comma.
func countValues(value []byte) (n int) {
	n = 1
	for i := 0; i < len(value); i++ {
		switch value[i] {
		case '"':
			i += stringLen(value[i:]) - 1
		case ',':
			n++
		case '{', '[':
			if next := skip(value[i+1:], ' ')[0]; next != '}' && next != ']' {
				n++
			}
		}
	}
	return n
}

// decodeObject decodes an object, which must be valid JSON, as encoding/json would. Numbers stay as
// they are written (see numberOf), because a float64 would lose digits of large ones. It takes a
// third of the time of encoding/json, which matters for small operations.
func decodeObject(object []byte) map[string]any {
	value, _ := decodeValue(object)
	return value.(map[string]any)
}

// decodeValue returns the value at the beginning of b, and the rest of b.
func decodeValue(b []byte) (value any, rest []byte) {
	b = skip(b, ' ')
	switch b[0] {
	case '{':
		return decodeMembers(b[1:])
	case '[':
		return decodeElements(b[1:])
	case '"':
		n := stringLen(b)
		return unquote(b[:n]), b[n:]
	case 't':
		return true, b[len("true"):]
	case 'f':
		return false, b[len("false"):]
	case 'n':
		return nil, b[len("null"):]
	}
	n := bytes.IndexAny(b, space+",]}")
	return numberOf(b[:n]), b[n:]
}

// numberOf returns a number as it is written, except that a whole number loses its point and its
// exponent: 1.0 and 1e0 become 1. In JSON these are the same number, and a GraphQL Int accepts
// every number without a fraction (GraphQL specification, section 3.5.1). Numbers beyond 2^53 stay
// as they are, because a float64 does not have all whole numbers there.
func numberOf(written []byte) json.Number {
	if !bytes.ContainsAny(written, ".eE") {
		return json.Number(written)
	}
	n, err := strconv.ParseFloat(string(written), 64)
	if err != nil || math.Abs(n) > 1<<53 || !scalar.IsWhole(string(written)) {
		return json.Number(written)
	}
	return json.Number(strconv.FormatInt(int64(n), 10))
}

// decodeMembers returns the object whose members are at the beginning of b, and the rest of b. If
// two members have the same name, the last one counts.
func decodeMembers(b []byte) (any, []byte) {
	object := map[string]any{}
	for {
		b = skip(b, ',')
		if b[0] == '}' {
			return object, b[1:]
		}
		n := stringLen(b)
		name := unquote(b[:n])
		object[name], b = decodeValue(skip(b[n:], ':'))
	}
}

// decodeElements returns the array whose elements are at the beginning of b, and the rest of b.
func decodeElements(b []byte) (any, []byte) {
	array := []any{}
	for {
		b = skip(b, ',')
		if b[0] == ']' {
			return array, b[1:]
		}
		var element any
		element, b = decodeValue(b)
		array = append(array, element)
	}
}
