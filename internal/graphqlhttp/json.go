package graphqlhttp

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
)

// parameters holds the parameters of a request, each as JSON. A parameter that is missing is nil.
//
// encoding/json ignores the case of a struct's field names, takes the last of two values with the
// same name, and replaces invalid UTF-8. So encoding/json only checks here that a text is JSON. The
// outermost object is read by members, and the variables by decodeObject.
type parameters struct{ query, documentID, operationName, variables, extensions []byte }

// fromJSON returns the parameters in a JSON object. It returns a refusal if the text is not such an
// object, or if a parameter is not valid. Messages call the text by name.
func fromJSON(name string, body []byte) (*graphql.RawParams, *refusal) {
	if refused := notJSON(name, body); refused != nil {
		return nil, refused
	}
	if name == requestBody && kindOf(body) == array {
		return nil, batched
	}
	if kindOf(body) != object {
		return nil, malformed("%s must be a JSON object, not %s: one operation, "+example, name, kindOf(body))
	}
	var found parameters
	for members := membersOf(body); members.next(); {
		value := found.named(members.name)
		if value == nil {
			continue // the specification demands that unknown names are ignored
		}
		if *value != nil {
			return nil, malformed("%s is given twice; give it once", members.name)
		}
		*value = members.value
	}
	return found.decode()
}

// named returns the field for a parameter, or nil for an unknown name.
func (p *parameters) named(name []byte) *[]byte {
	switch string(name) {
	case "query":
		return &p.query
	case DocumentID:
		return &p.documentID
	case "operationName":
		return &p.operationName
	case "variables":
		return &p.variables
	case "extensions":
		return &p.extensions
	}
	return nil
}

func (p *parameters) decode() (*graphql.RawParams, *refusal) {
	params := new(graphql.RawParams)
	var id string
	refused := cmp.Or(
		setString(&params.Query, "query", p.query),
		setString(&params.OperationName, "operationName", p.operationName),
		setObject(&params.Variables, "variables", p.variables),
		setObject(&params.Extensions, "extensions", p.extensions),
		setString(&id, DocumentID, p.documentID),
	)
	setDocumentID(params, id)
	return params, cmp.Or(refused, noQuery(params))
}

// noQuery returns a refusal if there is neither a query nor the name of a stored document.
func noQuery(params *graphql.RawParams) *refusal {
	if params.Query == "" && params.Extensions["persistedQuery"] == nil && params.Extensions[DocumentID] == nil {
		return malformed("query is missing or empty; send the operation in it, " + example)
	}
	return nil
}

// DocumentID is the name of the parameter that names a document stored on the server. gqlgen has no
// field for this parameter, so its value is stored among the extensions.
const DocumentID = "documentId"

// setDocumentID stores the parameter DocumentID. If it was not given, setDocumentID removes an
// extension of the same name, which means nothing.
func setDocumentID(params *graphql.RawParams, id string) {
	switch {
	case id == "":
		delete(params.Extensions, DocumentID)
		return
	case params.Extensions == nil:
		params.Extensions = map[string]any{}
	}
	params.Extensions[DocumentID] = id
}

// setString stores a JSON string in *to. If the value is missing or null, it does not change *to.
func setString(to *string, name string, value []byte) *refusal {
	switch kind := kindOf(value); kind {
	case missing, null:
		return nil
	case text:
		*to = unquote(value)
		return nil
	default:
		return malformed("%s must be a string, not %s", name, kind)
	}
}

// setObject stores a JSON object in *to. If the value is missing or null, it does not change *to.
func setObject(to *map[string]any, name string, value []byte) *refusal {
	switch kind := kindOf(value); kind {
	case missing, null:
		return nil
	case object:
		if n := countValues(value); n > MaxValues {
			return tooManyValues(name, n)
		}
		*to = decodeObject(value)
		return nil
	default:
		return malformed("%s must be a JSON object, not %s", name, kind)
	}
}

// notJSON returns a refusal if a text is not a single JSON value in UTF-8. The message calls the
// text by name.
func notJSON(name string, value []byte) *refusal {
	if !utf8.Valid(value) {
		return malformed("%s is not valid UTF-8", name)
	}
	if json.Valid(value) {
		return noLoneSurrogate(name, value)
	}
	decoder := json.NewDecoder(bytes.NewReader(value))
	err := decoder.Decode(new(json.RawMessage))
	wrong, misspelt := errors.AsType[*json.SyntaxError](err)
	switch {
	case err == nil:
		return malformed("%s must be one JSON value, but something follows it at byte %d", name, decoder.InputOffset()+1)
	case err == io.EOF:
		return malformed("%s is empty; send a JSON object, "+example, name)
	case misspelt && nestedIn(value[:wrong.Offset]) > maxNested:
		return malformed("%s is nested too deeply: at most %d objects and arrays may stand in one another", name, maxNested)
	case misspelt:
		return malformed("%s is not valid JSON: there is an error at byte %d", name, wrong.Offset)
	default:
		return malformed("%s is not valid JSON: it ends too early", name)
	}
}

// noLoneSurrogate returns a refusal if valid JSON contains an escape for only half of a character
// (RFC 8259, section 8.2). UTF-8 cannot express a half, so something else would be stored.
func noLoneSurrogate(name string, value []byte) *refusal {
	for i := 0; ; {
		next := bytes.IndexByte(value[i:], '\\')
		if next < 0 {
			return nil
		}
		i += next
		unit := surrogateAt(value[i:])
		switch {
		case unit == 0:
			i += len(`\n`)
		case utf16.DecodeRune(unit, surrogateAt(value[i+unitLength:])) == utf8.RuneError:
			return malformed(`%s has half of a character, \u%04x, at byte %d; both halves are needed, as in \ud83d\ude00`, name, unit, i+1)
		default:
			i += 2 * unitLength
		}
	}
}

// unitLength is the length of the escape of a UTF-16 code unit.
const unitLength = len(`\ud83d`)

// surrogateAt returns the half of a character whose escape stands at the beginning of b. It returns
// 0 if there is no such escape. b is a part of valid JSON.
func surrogateAt(b []byte) rune {
	if len(b) < unitLength || b[0] != '\\' || b[1] != 'u' {
		return 0
	}
	unit, err := strconv.ParseUint(string(b[2:unitLength]), 16, 16)
	if err != nil || !utf16.IsSurrogate(rune(unit)) {
		return 0
	}
	return rune(unit)
}

// maxNested is how deep objects and arrays may be nested for encoding/json, which exports neither
// this number nor an error for it.
const maxNested = 10_000

// nestedIn returns how many objects and arrays are still open at the end of a prefix of a JSON
// text.
func nestedIn(beginning []byte) (depth int) {
	quoted := false
	for i := 0; i < len(beginning); i++ {
		switch c := beginning[i]; {
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\':
			i++
		case quoted:
		case c == '{', c == '[':
			depth++
		case c == '}', c == ']':
			depth--
		}
	}
	return depth
}

// kind is the kind of a JSON value, worded for a message.
type kind string

// These are the kinds. A missing value is an empty text.
const (
	missing kind = "nothing"
	null    kind = "null"
	boolean kind = "a boolean"
	number  kind = "a number"
	text    kind = "a string"
	array   kind = "an array"
	object  kind = "an object"
)

// kindOf returns the kind of a value. The value must be valid JSON, or empty.
func kindOf(value []byte) kind {
	value = skip(value, ' ')
	if len(value) == 0 {
		return missing
	}
	switch value[0] {
	case '{':
		return object
	case '[':
		return array
	case '"':
		return text
	case 't', 'f':
		return boolean
	case 'n':
		return null
	default:
		return number
	}
}

// space holds the characters that JSON allows between values.
const space = " \t\r\n"

// skip returns b without leading space. The character other counts as space, too.
func skip(b []byte, other byte) []byte {
	for i, c := range b {
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' && c != other {
			return b[i:]
		}
	}
	return nil
}

// members iterates over the members of an object, which must be valid JSON.
type members struct {
	name, value []byte // of the current member
	rest        []byte
}

func membersOf(object []byte) *members {
	return &members{rest: skip(object, ' ')[len("{"):]}
}

// next moves to the next member. It returns false if there is none.
func (m *members) next() bool {
	m.rest = skip(m.rest, ',')
	if m.rest[0] == '}' {
		return false
	}
	m.name = m.take()
	if bytes.IndexByte(m.name, '\\') < 0 {
		m.name = m.name[1 : len(m.name)-1]
	} else {
		m.name = []byte(unquote(m.name))
	}
	m.rest = skip(m.rest, ':')
	m.value = m.take()
	return true
}

// take removes the value at the beginning of rest, and returns the value.
func (m *members) take() []byte {
	n := valueLen(m.rest)
	value := m.rest[:n]
	m.rest = m.rest[n:]
	return value
}

// valueLen returns the length of the value at the beginning of b.
func valueLen(b []byte) int {
	switch b[0] {
	case '"':
		return stringLen(b)
	case '{', '[':
		return nestedLen(b)
	default:
		return bytes.IndexAny(b, space+",}")
	}
}

// nestedLen returns the length of the object or array at the beginning of b.
func nestedLen(b []byte) int {
	depth := 0
	for i := 0; ; i++ {
		switch b[i] {
		case '"':
			i += stringLen(b[i:]) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
}

// stringLen returns the length of the string at the beginning of b, with its quotes.
func stringLen(b []byte) int {
	for i := 1; ; i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
}

// unquote returns the text of a JSON string.
func unquote(quoted []byte) string {
	inside := quoted[1 : len(quoted)-1]
	next := bytes.IndexByte(inside, '\\')
	if next < 0 {
		return string(inside)
	}
	s := make([]byte, 0, len(inside))
	for ; next >= 0; next = bytes.IndexByte(inside, '\\') {
		c := escaped[inside[next+1]]
		if c == 0 {
			return decoded(quoted) // there is an escape by number, perhaps one of two halves
		}
		s = append(append(s, inside[:next]...), c)
		inside = inside[next+2:]
	}
	return string(append(s, inside...))
}

// escaped holds the character that each letter stands for after a backslash, and 0 for other
// letters. It makes the most frequent case fast, because documents have many escaped line breaks.
var escaped = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// decoded returns the text of a JSON string with any escapes.
func decoded(quoted []byte) (s string) {
	if err := json.Unmarshal(quoted, &s); err != nil {
		panic("graphqlhttp: a string of valid JSON does not decode: " + err.Error())
	}
	return s
}
