package database_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lib/pq"

	"forge/internal/database"
	"forge/internal/scalar"
	"forge/test/dbtest"
)

// TestBucket compares scalar.Bucket, which SQLite calls, with date_trunc of PostgreSQL, around
// every change of the clocks in time zones that change them in unusual ways.
func TestBucket(t *testing.T) {
	t.Parallel()
	db, err := database.Open(dbtest.EmptyPostgres(t), database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, name := range []string{"UTC", "Europe/Berlin", "America/Sao_Paulo", "America/Havana", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia", "Europe/Dublin",
		"Europe/Moscow", "Africa/Casablanca", "America/St_Johns", "Etc/GMT+5"} {
		zone, err := scalar.Zone(name)
		if err != nil {
			t.Fatal(err)
		}
		var times []time.Time
		for at := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2040; {
			_, change := at.In(zone).ZoneBounds()
			if change.IsZero() || change.Year() >= 2040 {
				break
			}
			for _, by := range []time.Duration{-26 * time.Hour, -time.Hour, -time.Microsecond, 0, 31 * time.Minute, 90 * time.Minute, 23*time.Hour + 30*time.Minute, 5 * 24 * time.Hour} {
				times = append(times, change.Add(by).UTC())
			}
			at = change.Add(time.Second)
		}
		for year := 1875; year < 2100; year += 25 {
			times = append(times, time.Date(year, 12, 31, 23, 59, 59, 999999000, time.UTC), time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC))
		}
		texts := make([]string, len(times))
		for i, at := range times {
			texts[i] = at.Format(time.RFC3339Nano)
		}
		for _, unit := range []string{"HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"} {
			rows, err := db.QueryContext(t.Context(), fmt.Sprintf(`SELECT date_trunc('%s', at::timestamptz, '%s') FROM unnest($1::text[]) WITH ORDINALITY AS t(at, n) ORDER BY n`,
				strings.ToLower(unit), name), pq.Array(texts))
			if err != nil {
				t.Fatal(err)
			}
			wrong := 0
			for i := 0; rows.Next(); i++ {
				var want time.Time
				if err := rows.Scan(&want); err != nil {
					t.Fatal(err)
				}
				got, err := scalar.Bucket(unit, times[i], zone)
				if err != nil || !got.Equal(want) {
					if wrong++; wrong <= 3 {
						t.Errorf("%s of %s in %s began at %s, PostgreSQL says %s (%v)", unit, texts[i], name, got.UTC().Format(time.RFC3339Nano), want.UTC().Format(time.RFC3339Nano), err)
					}
				}
			}
			if err := rows.Err(); err != nil {
				t.Fatal(err)
			}
			rows.Close()
		}
	}
}
