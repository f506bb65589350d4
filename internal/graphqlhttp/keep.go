package graphqlhttp

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"

	"github.com/99designs/gqlgen/graphql"
)

// Keeper is an Executor that says which answers caches may keep.
type Keeper interface {
	// MaxAge returns for how many seconds the answer to a query may be kept for whoever asks the
	// same, and 0 if it may not.
	MaxAge(*graphql.OperationContext) int
}

// mayKeep reports whether caches may keep the answer to a request, if the operation allows it. A
// request that says who sends it never gets such an answer, although it would be the same.
func mayKeep(r *http.Request, params *graphql.RawParams) bool {
	return r.Method == http.MethodGet && r.Header.Get("Authorization") == "" && r.Header.Get("Cookie") == "" &&
		(params.Extensions["persistedQuery"] != nil || params.Extensions[DocumentID] != nil) && !r.URL.Query().Has("query")
}

// keep sets the headers with which caches keep an answer for maxAge seconds (RFC 9111), and notes
// whether the client has this answer already, according to the values of If-None-Match. It does
// nothing if maxAge is 0 or less. The tag is that of the data: the body may be compressed, and
// extensions may differ.
func (a *answer) keep(maxAge int, data []byte, match []string) {
	if maxAge <= 0 {
		return
	}
	sum := sha256.Sum256(data)
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:15]) + `"`
	header := a.w.Header()
	header["Cache-Control"] = []string{fmt.Sprintf("public, max-age=%d", maxAge)}
	header["Etag"] = []string{"W/" + tag}
	header.Add("Vary", "Accept")
	for known := range strings.SplitSeq(strings.Join(match, ","), ",") {
		known = strings.TrimSpace(known)
		a.known = a.known || known == "*" || strings.TrimPrefix(known, "W/") == tag
	}
}
