package input

import (
	"context"

	"forge/internal/apperr"
	"forge/internal/ids"
	"forge/internal/viewer"
)

// Missing returns a NOT_FOUND error for an argument with the ID of a row that does not exist. If
// the ID is the viewer's own, it returns the FORBIDDEN error of NoRowOfViewer.
func Missing(ctx context.Context, path string, id ids.ID) *apperr.Error {
	if v := viewer.FromContext(ctx); v.Stranger && v.ID == id.UUID {
		return NoRowOfViewer()
	}
	f := apperr.NotFound(id)
	f.Field = path
	return f
}

// NotYours returns the error for an argument with the ID of a row that the viewer sees, and may not
// change: FORBIDDEN, or UNAUTHENTICATED if the viewer has not signed in.
func NotYours(ctx context.Context, path string, id ids.ID) *apperr.Error {
	if viewer.RoleOf(ctx) == viewer.Anonymous {
		f := apperr.Unauthenticated()
		f.Field = path
		return f
	}
	return apperr.Forbidden(path, "%s is not yours to change", id)
}

// NoRowOfViewer returns the FORBIDDEN error for a viewer who signed in with a provider and has no
// row in the database. Nothing can belong to them, because there is no row to refer to.
func NoRowOfViewer() *apperr.Error {
	return apperr.Forbidden("", "you are signed in by a provider, and there is no user here that is you, so nothing can be yours: "+
		"ask an administrator for one, whose ID your token then names")
}
