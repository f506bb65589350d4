package graph_test

import (
	"net/http"

	"github.com/99designs/gqlgen/graphql/handler"

	"forge/internal/viewer"
)

// viewing is a server all of whose requests come from one viewer.
type viewing struct {
	*handler.Server
	viewer viewer.Viewer
}

func as(v viewer.Viewer, srv *handler.Server) viewing { return viewing{srv, v} }

func (s viewing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.Server.ServeHTTP(w, r.WithContext(viewer.NewContext(r.Context(), s.viewer)))
}
