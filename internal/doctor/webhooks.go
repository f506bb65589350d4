package doctor

import (
	"context"
	"fmt"

	"forge/internal/database"
	"forge/internal/webhook"
)

// webhooks reports endpoints to which nothing can be delivered.
func (d *Doctor) webhooks(ctx context.Context, db *database.DB) []Finding {
	all, failing, disabled, err := webhook.Count(ctx, db)
	switch {
	case err != nil || all == 0:
		return nil // the checks schema and permissions report tables that cannot be read
	case failing+disabled > 0:
		return []Finding{warn("webhooks", fmt.Sprintf("of %d endpoints, %d fail and %d are disabled", all, failing, disabled),
			"`forge webhook list` says why; `forge webhook replay ID` turns one on again.")}
	}
	return []Finding{ok("webhooks", "%d endpoints, and none fails", all)}
}
