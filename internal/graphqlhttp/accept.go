package graphqlhttp

import (
	"mime"
	"strconv"
	"strings"
)

// These are the media types of answers.
const (
	plainJSON    = "application/json"
	responseJSON = "application/graphql-response+json"
)

// negotiate returns the media type of the answer for the values of the Accept header, and whether
// they allow it. If they allow none, the refusal is plain JSON.
//
// A client that names neither type gets plain JSON, as old clients expect it. If both are equally
// welcome, the type for GraphQL wins if it is named.
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

// welcome is how welcome a media type is to the client. Of the ranges that it is in, the most
// specific one counts.
type welcome struct {
	quality  float64
	specific int
}

// These are the kinds of ranges, from the least specific one.
const (
	anything = iota + 1
	application
	exact
)

// consider takes a range of the Accept header into account, if media is in it.
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

// parseRange returns the name and the quality of a media range. The name is "" if the range is not
// well formed, or asks for another charset than UTF-8.
func parseRange(part string) (name string, quality float64) {
	name, params, err := mime.ParseMediaType(part)
	if err != nil || !isUTF8(params) {
		return "", 0
	}
	q, present := params["q"]
	if !present {
		return name, 1
	}
	quality, err = strconv.ParseFloat(q, 64)
	if err != nil || !(0 <= quality && quality <= 1) {
		return "", 0
	}
	return name, quality
}
