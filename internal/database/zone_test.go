package database_test

import (
	"strings"
	"testing"

	"forge/internal/apperr"
	"forge/internal/database"
	"forge/test/dbtest"
)

// TestUnknownZone has PostgreSQL refuse a time zone, as one with older tables refuses a new one. An
// option of the connection that it refuses in the same way is not the client's fault.
func TestUnknownZone(t *testing.T) {
	t.Parallel()
	url := dbtest.Postgres(t)
	db, err := database.Open(url, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var at any
	err = db.QueryRowContext(t.Context(), `SELECT date_trunc('day', now(), 'Europe/Atlantis')`).Scan(&at)
	if f := database.ClientError(err); f == nil || f.Code != apperr.CodeBadUserInput || f.Field != "by" {
		t.Errorf("%v is told as %v", err, f)
	}
	other, err := database.Open(withOption(url, "TimeZone=Europe/Atlantis"), database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err = other.PingContext(t.Context()); err == nil {
		t.Error("the option is accepted")
	}
	if f := database.ClientError(err); f != nil && f.Code == apperr.CodeBadUserInput {
		t.Errorf("%v is told as %v", err, f)
	}
}

func withOption(url, option string) string {
	separator := "?"
	if strings.Contains(url, "?") {
		separator = "&"
	}
	return url + separator + option
}
