package adopt

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	atlas "ariga.io/atlas/sql/schema"
)

// defaultText returns the expression that gives a column its value, or "".
func defaultText(c *atlas.Column) string {
	switch x := c.Default.(type) {
	case *atlas.Literal:
		return x.V
	case *atlas.RawExpr:
		return x.X
	}
	return ""
}

var (
	cast   = regexp.MustCompile(`(?i)::\s*"?[a-z_][\w. ]*"?(\(\d+(,\s*\d+)?\))?(\[\])?`)
	quoted = regexp.MustCompile(`^'((?:[^']|'')*)'$`)
	number = regexp.MustCompile(`^\(?(-?\d+(\.\d+)?)\)?$`)
	moment = regexp.MustCompile(`(?i)^\(?\(?(now\(\)|current_timestamp(\(\d\))?|statement_timestamp\(\)|clock_timestamp\(\)|transaction_timestamp\(\)|localtimestamp(\(\d\))?)\)?( AT TIME ZONE '?utc'?)?\)?$`)
	today  = regexp.MustCompile(`(?i)^\(?(current_date|now\(\))\)?$`)
	random = regexp.MustCompile(`(?i)(gen_random_uuid|uuid_generate_v\d\w*|uuidv\d)\(\)`)
)

// goDefault returns the default of a column as Go, and what it imports. It returns false if there
// is a default that Go cannot say.
func goDefault(k Kind, expression string) (text string, imports []string, ok bool) {
	plain := strings.TrimSpace(cast.ReplaceAllString(expression, ""))
	if plain == "" || strings.EqualFold(plain, "NULL") {
		return "", nil, true
	}
	value, isText := plain, false
	if m := quoted.FindStringSubmatch(plain); m != nil {
		value, isText = strings.ReplaceAll(m[1], "''", "'"), true
	}
	switch k.form {
	case "bool":
		on := strings.EqualFold(value, "true") || value == "1" || strings.EqualFold(value, "t")
		if on || strings.EqualFold(value, "false") || value == "0" || strings.EqualFold(value, "f") {
			return strconv.FormatBool(on), nil, true
		}
	case "number":
		if m := number.FindStringSubmatch(value); m != nil && (m[2] == "" || strings.Contains(k.Go, "Float")) {
			return m[1], nil, true
		}
	case "decimal":
		if m := number.FindStringSubmatch(value); m != nil {
			return "decimal.RequireFromString(" + strconv.Quote(m[1]) + ")", []string{decimalPackage}, true
		}
	case "text":
		if isText && !moment.MatchString(plain) {
			return strconv.Quote(value), nil, true
		}
	case "enum":
		for _, v := range k.Values {
			if v == value {
				return strconv.Quote(value), nil, true
			}
		}
	case "time":
		if moment.MatchString(plain) {
			return "func() time.Time { return time.Now().UTC() }", []string{"time"}, true
		}
	case "date":
		if today.MatchString(plain) {
			return "func() time.Time { return time.Now().UTC().Truncate(24 * time.Hour) }", []string{"time"}, true
		}
	case "json":
		if isText && json.Valid([]byte(value)) {
			return "json.RawMessage(" + strconv.Quote(value) + ")", nil, true
		}
	case "uuid":
		if random.MatchString(plain) {
			return "uuid.New", []string{uuidPackage}, true
		}
	}
	if strings.HasPrefix(k.form, "array.") && (value == "{}" || plain == "ARRAY[]") {
		return k.form + "{}", nil, true
	}
	return "", nil, false
}

// negative matches a number below 0 as PostgreSQL writes it in conditions.
var negative = regexp.MustCompile(`'(-\d+(?:\.\d+)?)'::(?:smallint|integer|bigint|numeric|real|double precision)\b`)

var anyOf = regexp.MustCompile(`(?i)(\S+|\([^()]*\)) = ANY \(\(?ARRAY\[([^\]]*)\]\)?\)`)

// portable returns the condition of a CHECK in the SQL that both databases have, or false.
func portable(condition string) (string, bool) {
	text := cast.ReplaceAllString(negative.ReplaceAllString(condition, "$1"), "")
	text = anyOf.ReplaceAllString(text, "$1 IN ($2)")
	for {
		inner, ok := strings.CutPrefix(text, "(")
		if !ok || !strings.HasSuffix(inner, ")") || !balanced(inner[:len(inner)-1]) {
			break
		}
		text = inner[:len(inner)-1]
	}
	text = lone.ReplaceAllString(text, "$1")
	if m := within.FindStringSubmatch(text); m != nil && m[1] == m[3] {
		text = m[1] + " BETWEEN " + m[2] + " AND " + m[4]
	}
	for _, foreign := range []string{"::", "~", "ARRAY", "ANY ", "@", "(SELECT", "date_part", "EXTRACT", "now()", "CURRENT_"} {
		if strings.Contains(text, foreign) {
			return "", false
		}
	}
	return text, balanced(text) && !strings.ContainsAny(text, "\n`")
}

var (
	lone   = regexp.MustCompile(`\((-?\d+(?:\.\d+)?|"?[A-Za-z_]\w*"?)\)( |$|,|\))`)
	within = regexp.MustCompile(`^\(?("?\w+"?) >= (-?\d+)\)? AND \(?("?\w+"?) <= (-?\d+)\)?$`)
)

// balanced reports whether each parenthesis of a text has another one.
func balanced(text string) bool {
	depth, inText := 0, false
	for _, r := range text {
		switch {
		case r == '\'':
			inText = !inText
		case inText:
		case r == '(':
			depth++
		case r == ')':
			if depth--; depth < 0 {
				return false
			}
		}
	}
	return depth == 0 && !inText
}
