package gqltest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// Answer is the answer to one request.
type Answer struct {
	Err    error       `json:"-"` // the reason why there is no answer, or nil
	Status int         `json:"-"`
	Header http.Header `json:"-"`
	Body   string      `json:"-"` // the body as it was received

	Data       any
	Errors     []Error
	Extensions map[string]any
}

// Error is one error of an answer.
type Error struct {
	Message    string
	Path       []any
	Extensions map[string]any
}

// OK reports whether the answer has data and no errors.
func (a Answer) OK() bool { return a.Err == nil && len(a.Errors) == 0 && a.Data != nil }

// String returns the status and the body, or the reason why there is no answer.
func (a Answer) String() string {
	if a.Err != nil {
		return a.Err.Error()
	}
	return strconv.Itoa(a.Status) + " " + a.Body
}

// RawData returns the data as it was received, with the fields in their order.
func (a Answer) RawData() string {
	var raw struct{ Data json.RawMessage }
	_ = json.Unmarshal([]byte(a.Body), &raw) // a body that is not JSON has no data
	return string(raw.Data)
}

// Decode stores the data of the answer in the value that data points to. It returns an error if
// there is no answer, or if the data does not fit the value.
func (a Answer) Decode(data any) error {
	if a.Err != nil {
		return a.Err
	}
	return json.Unmarshal([]byte(a.RawData()), data)
}

// At returns the value at a path in the data, such as "users.nodes.0.username". It returns nil if
// the path leads nowhere.
func (a Answer) At(path string) any {
	value := a.Data
	for step := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}

// Text returns the string at a path in the data. It returns "" if there is none.
func (a Answer) Text(path string) string {
	s, _ := a.At(path).(string)
	return s
}

// Number returns the number at a path in the data. It returns -1 if there is none.
func (a Answer) Number(path string) int { return number(a.At(path)) }

// Len returns the length of the list at a path in the data. It returns -1 if there is none.
func (a Answer) Len(path string) int {
	list, ok := a.At(path).([]any)
	if !ok {
		return -1
	}
	return len(list)
}

// NoAnswer is the code of an answer that did not arrive.
const NoAnswer = "no answer"

// Code returns the code of the first error. It returns "" if there are no errors, and NoAnswer if
// there is no answer.
func (a Answer) Code() string {
	if a.Err != nil {
		return NoAnswer
	}
	code, _ := a.Extension("code").(string)
	return code
}

// Extension returns an entry of the first error's extensions. It returns nil if there is none.
func (a Answer) Extension(name string) any {
	if len(a.Errors) == 0 {
		return nil
	}
	return a.Errors[0].Extensions[name]
}

// Statements returns the number of SQL statements that the operation ran. It returns -1 if the
// server does not report it, as in production.
func (a Answer) Statements() int { return a.cost("sql", "statements") }

// Attempts returns how often the operation was run. It returns -1 if the server does not report it.
func (a Answer) Attempts() int { return a.cost("tx", "attempts") }

func (a Answer) cost(part, name string) int {
	cost, _ := a.Extensions[part].(map[string]any)
	return number(cost[name])
}

func number(value any) int {
	n, ok := value.(float64)
	if !ok {
		return -1
	}
	return int(n)
}
