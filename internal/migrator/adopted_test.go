package migrator_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/fstest"

	"forge/internal/migrator"
)

// adoptedFiles are a baseline with two tables, and a version after it.
func adoptedFiles() fstest.MapFS {
	return fstest.MapFS{
		"20260101000000_baseline.sql": {Data: []byte(migrator.BaselineMark + " Of old.\n-- +goose Up\n" +
			"CREATE TABLE \"Old\" (id integer PRIMARY KEY);\nCREATE TABLE older (id integer PRIMARY KEY);\n" +
			"-- +goose Down\nDROP TABLE older;\nDROP TABLE \"Old\";\n")},
		"20260101000001_accounts.sql": {Data: []byte("-- +goose Up\nCREATE TABLE accounts (id integer PRIMARY KEY);\n-- +goose Down\nDROP TABLE accounts;\n")},
	}
}

// TestBaselineCountsAsApplied has databases with all tables of a baseline, with none, and with
// some.
func TestBaselineCountsAsApplied(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, before, wantLog, wantErr string }{
		{"all", `CREATE TABLE "Old" (id integer PRIMARY KEY, more text); CREATE TABLE older (id integer PRIMARY KEY)`, "recorded the baseline", ""},
		{"none", "", "applied migration", ""},
		{"some", `CREATE TABLE older (id integer PRIMARY KEY)`, "", "it lacks Old"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			eachEmpty(t, func(t *testing.T, db database) {
				if tt.before != "" {
					if _, err := db.DB.ExecContext(t.Context(), tt.before); err != nil {
						t.Fatal(err)
					}
				}
				var log bytes.Buffer
				source := db.Source(adoptedFiles())
				err := source.Up(t.Context(), db.DB, slog.New(slog.NewTextHandler(&log, nil)))
				if tt.wantErr != "" {
					if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
						t.Errorf("Up: %v, want an error that says %q", err, tt.wantErr)
					}
					return
				}
				if err != nil || !strings.Contains(log.String(), tt.wantLog) {
					t.Errorf("Up: %v, and the log %q, want %q", err, &log, tt.wantLog)
				}
				if err := source.Check(t.Context(), db.DB); err != nil {
					t.Errorf("Check: %v", err)
				}
				if err := source.Down(t.Context(), db.DB, 2, true, migrator.LockTimeout, discard); err == nil || !strings.Contains(err.Error(), "is the baseline") {
					t.Errorf("Down of the baseline: %v", err)
				}
				if err := source.Down(t.Context(), db.DB, 1, true, migrator.LockTimeout, discard); err != nil {
					t.Errorf("Down of the version after it: %v", err)
				}
			})
		})
	}
}
