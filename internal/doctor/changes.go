package doctor

import (
	"context"
	"fmt"

	"forge/internal/application"
	"forge/internal/changes"
	"forge/internal/database"
)

// changes reports how large the log of changes is.
func (d *Doctor) changes(ctx context.Context, db *database.DB) []Finding {
	log := changes.New(db.DB, db.Dialect, d.app.API(application.Services{}).Entities)
	if log == nil {
		return nil
	}
	n, err := log.Size(ctx)
	if err != nil {
		return nil // the checks schema and permissions report tables that cannot be read
	}
	if most := int64(d.config.ChangesMaxRows); n > most+most/10 {
		return []Finding{warn("changes", fmt.Sprintf("the log has about %d changes, and CHANGES_MAX_ROWS allows %d", n, most),
			"A running server removes those beyond each minute; see its log for why it does not.")}
	}
	return []Finding{ok("changes", "the log has about %d changes", n)}
}
