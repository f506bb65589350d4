package read

import (
	"context"

	"forge/internal/changes"
)

// Following is a subscription that tells of changes, while an answer is made for it.
type Following struct {
	// After is where the answer goes on in the log, in place of the argument after.
	After changes.Position
	// Given says that List and Next are what follows in the log. Otherwise Changes reads the log, in
	// the unit of work, and sets Next.
	Given bool
	List  []changes.Change
	Next  changes.Position
	// Heard is how many changes the answer has. Changes sets it.
	Heard int
}

type followingKey struct{}

// Follow returns a context in which Changes answers a root field of Subscription.
func Follow(ctx context.Context, f *Following) context.Context {
	return context.WithValue(ctx, followingKey{}, f)
}
