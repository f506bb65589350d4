package database_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"forge/internal/database"
)

// TestSQLiteOpensAtOnce opens many connections to a new file while one of them writes. Switching
// the file to WAL takes a lock for which SQLite itself does not always wait.
func TestSQLiteOpensAtOnce(t *testing.T) {
	t.Parallel()
	for i := range 30 {
		path := filepath.Join(t.TempDir(), fmt.Sprint(i))
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				db, err := database.Open("sqlite:"+path, database.Options{})
				if err != nil {
					t.Error(err)
					return
				}
				defer db.Close()
				if _, err := db.ExecContext(t.Context(), "CREATE TABLE IF NOT EXISTS t (x)"); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
}
