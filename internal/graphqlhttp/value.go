package graphqlhttp

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
)

// MaxValues is how many values there may be in the variables of a request, those that lists and
// objects are made of included. An empty object of two bytes takes hundreds when it is decoded, and
// each member that its type could have is looked for in it.
const MaxValues = 20_000

// valuesIn returns how many values there are in valid JSON: the outermost, one behind each bracket
// that has something in it, and one behind each comma.
func valuesIn(value []byte) (n int) {
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

// decodeObject returns an object that is known to be valid JSON as encoding/json would, with numbers as they were written: a float64 would
// lose digits of a large one. It takes a third of the time, which for a small operation is a part of all that it costs.
func decodeObject(object []byte) map[string]any {
	value, _ := decodeValue(object)
	return value.(map[string]any)
}

// decodeValue returns the value that b begins with, and what follows it.
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

// numberOf returns a number as it was written, but a whole one that has a point or an exponent without them: 1.0 and 1e0 are 1 to JSON's authors, and
// an Int is to be taken from any number without a fraction (GraphQL specification, section 3.5.1). Those past 2^53, where a float64 has no room for
// each whole number, stay as they are.
func numberOf(written []byte) json.Number {
	if !bytes.ContainsAny(written, ".eE") {
		return json.Number(written)
	}
	n, err := strconv.ParseFloat(string(written), 64)
	if err != nil || n != math.Trunc(n) || math.Abs(n) > 1<<53 {
		return json.Number(written)
	}
	return json.Number(strconv.FormatInt(int64(n), 10))
}

// decodeMembers returns the object whose members b begins with. Of two of one name the last counts.
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

// decodeElements returns the array whose elements b begins with.
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
