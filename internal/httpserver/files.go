package httpserver

import (
	"net/http"

	"github.com/rs/cors"
)

// shareFiles returns the middleware that lets pages of allowed origins read files and upload them.
// Their addresses are signed, and no cookie is read, so that a page can do nothing with those that
// it does not know.
func shareFiles(allowed origins) middleware {
	return func(next http.Handler) http.Handler {
		if allowed.none() {
			return next
		}
		return cors.New(cors.Options{
			AllowOriginFunc: allowed.allow,
			AllowedMethods:  []string{http.MethodGet, http.MethodHead, http.MethodPatch, http.MethodDelete},
			AllowedHeaders:  []string{"Content-Type", "Range", "Tus-Resumable", "Upload-Offset", "Upload-Length"},
			ExposedHeaders:  append([]string{"Content-Disposition", "Content-Range", "ETag", "Tus-Resumable", "Upload-Offset", "Upload-Length"}, exposedHeaders...),
			MaxAge:          int(preflightTTL.Seconds()),
		}).Handler(next)
	}
}
