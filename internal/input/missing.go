package input

import (
	"context"

	"forge/internal/apperr"
	"forge/internal/ids"
	"forge/internal/viewer"
)

// Missing returns the NOT_FOUND for an argument that holds the ID of no row. If the ID is that of
// the viewer, it returns the FORBIDDEN of NoRowOfViewer.
func Missing(ctx context.Context, path string, id ids.ID) *apperr.Error {
	if v := viewer.FromContext(ctx); v.Stranger && v.ID == id.UUID {
		return NoRowOfViewer()
	}
	f := apperr.NotFound(id)
	f.Field = path
	return f
}

// NoRowOfViewer returns the FORBIDDEN for a viewer whom only a provider knows. There is no row of
// theirs, so that no row can refer to it.
func NoRowOfViewer() *apperr.Error {
	return apperr.Forbidden("", "you are signed in by a provider, and there is no user here that is you, so nothing can be yours: "+
		"ask an administrator for one, whose ID your token then names")
}
