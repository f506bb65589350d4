package graph

import (
	"context"

	"github.com/google/uuid"

	"forge/ent"
	"forge/graph/model"
	"forge/internal/viewer"
)

// signedIn returns a reference to the user who asks, or nil if it is nobody whom a row could belong to.
func signedIn(ctx context.Context) *model.User {
	id := viewer.FromContext(ctx).ID
	if id == uuid.Nil {
		return nil
	}
	return &model.User{ID: (&ent.User{ID: id}).GlobalID()}
}
