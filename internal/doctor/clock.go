package doctor

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent/dialect"

	"forge/internal/database"
)

// earliest is the first year that a clock may show. A wrong clock matters because IDs begin with
// the time.
const earliest = 2026

// skew is the largest difference between two clocks that is not reported.
const skew = time.Second

// clock compares the clock of this machine with that of the database. It also reports a clock of
// this machine that shows a year before earliest.
func (d *Doctor) clock(ctx context.Context, db *database.DB) []Finding {
	before := d.now()
	if before.Year() < earliest {
		return []Finding{fail("clock", "this machine's clock says "+before.UTC().Format(time.DateTime), "Set it, with NTP: IDs and cursors hold the time.")}
	}
	if db.Dialect != dialect.Postgres {
		return []Finding{ok("clock", "%s UTC", before.UTC().Format(time.DateTime))}
	}
	var theirs time.Time
	if err := db.QueryRowContext(ctx, "SELECT clock_timestamp()").Scan(&theirs); err != nil {
		return []Finding{fail("clock", err.Error(), "")}
	}
	after := d.now()
	// The database read its clock between before and after.
	apart := max(before.Sub(theirs), theirs.Sub(after))
	if apart > skew {
		return []Finding{warn("clock", fmt.Sprintf("the clocks of this machine and of the database are %s apart", apart.Round(time.Millisecond)),
			"Set both with NTP: rows of two processes are ordered by the time when they were made.")}
	}
	return []Finding{ok("clock", "that of the database and this one agree")}
}
