package api_test

import (
	"net/http"

	"forge/internal/viewer"
)

// viewing is a server all of whose requests come from one viewer.
type viewing struct {
	handler http.Handler
	viewer  viewer.Viewer
}

func as(v viewer.Viewer, srv http.Handler) viewing { return viewing{srv, v} }

func (s viewing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.handler.ServeHTTP(w, r.WithContext(viewer.NewContext(r.Context(), s.viewer)))
}
