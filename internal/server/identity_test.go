package server

import (
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/urfave/cli/v3"

	"forge/internal/application"
	"forge/internal/settings"
)

// TestKeysWithoutUse has keys and AUTH=off: the server starts, and warns that it ignores the keys.
func TestKeysWithoutUse(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	s, err := settings.Load(&cli.Command{Flags: settings.Flags()}, []string{"AUTH=off", "AUTH_KEYS_FILE=keys.json"})
	if err != nil {
		t.Fatal(err)
	}
	srv := New(application.Application{}, s, nil, io.Discard, slog.New(slog.NewTextHandler(&log, nil)))
	if _, err := srv.identity(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := log.String(); !strings.Contains(got, "level=WARN") || !strings.Contains(got, "AUTH_KEYS_FILE has no effect: AUTH is off") {
		t.Errorf("the log has %q", got)
	}
}
