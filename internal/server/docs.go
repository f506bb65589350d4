package server

import (
	"net/http"
	"sync"

	"forge/console"
	"forge/internal/site"
)

// docs returns the handler of the pages. They are made when somebody asks for the first one.
func (s *Server) docs() http.Handler {
	pages := sync.OnceValues(func() (*site.Site, error) {
		o := site.Options{Pages: s.app.Docs, SDL: s.app.SDL}
		if s.Playground {
			o.Links = []site.Link{{Text: "Playground", Address: "../"}}
		}
		if s.Console {
			o.Links = append(o.Links, site.Link{Text: "Console", Address: ".." + console.Path})
		}
		return site.New(o)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		made, err := pages()
		if err != nil {
			s.log.ErrorContext(r.Context(), "the pages cannot be made", "error", err)
			http.Error(w, "the pages cannot be made; the log says why", http.StatusInternalServerError)
			return
		}
		made.ServeHTTP(w, r)
	})
}
