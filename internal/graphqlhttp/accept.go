package graphqlhttp

import (
	"mime"
	"strconv"
	"strings"
)

const (
	plainJSON    = "application/json"
	responseJSON = "application/graphql-response+json"
)

// negotiate chooses the media type of the answer by the values of the Accept header, and says whether they allow one at all;
// if not, the refusal is plain JSON.
//
// Who asks for nothing in particular gets plain JSON, as old clients do. Between two that are equally welcome, the one made
// for GraphQL wins if it was named.
func negotiate(accept []string) (media string, acceptable bool) {
	ranges := strings.Join(accept, ",")
	switch ranges {
	case "", "*/*", plainJSON:
		return plainJSON, true
	case responseJSON:
		return responseJSON, true
	}
	var plain, response welcome
	for part := range strings.SplitSeq(ranges, ",") {
		name, quality := parseRange(part)
		plain.consider(name, plainJSON, quality)
		response.consider(name, responseJSON, quality)
	}
	switch {
	case response.quality > plain.quality, response.quality == plain.quality && response.specific == exact && response.quality > 0:
		return responseJSON, true
	default:
		return plainJSON, plain.quality > 0
	}
}

// welcome is how welcome a media type is: of the ranges it is in, the most specific one counts.
type welcome struct {
	quality  float64
	specific int
}

const (
	anything = iota + 1
	application
	exact
)

func (w *welcome) consider(name, media string, quality float64) {
	var specific int
	switch name {
	case media:
		specific = exact
	case "application/*":
		specific = application
	case "*/*":
		specific = anything
	default:
		return
	}
	if specific > w.specific || specific == w.specific && quality > w.quality {
		*w = welcome{quality, specific}
	}
}

// parseRange returns a media range's name and quality. A range that is not written as it should be, or is for another
// encoding than UTF-8, has no name.
func parseRange(part string) (name string, quality float64) {
	name, params, err := mime.ParseMediaType(part)
	if err != nil || !isUTF8(params) {
		return "", 0
	}
	q, given := params["q"]
	if !given {
		return name, 1
	}
	quality, err = strconv.ParseFloat(q, 64)
	if err != nil || !(0 <= quality && quality <= 1) {
		return "", 0
	}
	return name, quality
}
