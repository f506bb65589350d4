package server

import (
	"bytes"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/urfave/cli/v3"

	"forge/internal/application"
	"forge/internal/database"
	"forge/internal/gqlexec"
	"forge/internal/settings"
	"forge/test/dbtest"
)

// TestFileKey checks that all servers of a database, and those that come after them, sign addresses
// of files with one key: that of their settings, or one that the database keeps.
func TestFileKey(t *testing.T) {
	t.Parallel()
	const secret = "AUTH_SECRET=0123456789012345678901234567890123456789"
	dbtest.Each(t, func(t *testing.T, address string) {
		db, err := database.Open(address, database.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		key := func(words ...string) []byte {
			s, err := settings.Load(&cli.Command{Flags: settings.Flags()}, words)
			if err != nil {
				t.Fatal(err)
			}
			srv := New(application.Application{API: func(application.Services) gqlexec.API { return gqlexec.API{} }}, s, nil, io.Discard, slog.New(slog.DiscardHandler))
			identity, err := srv.identity(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return srv.fileKey(t.Context(), db, identity)
		}
		kept, derived, other := key("AUTH=off"), key("AUTH=on", secret), key("AUTH=on", secret+"x")
		if !bytes.Equal(kept, key("AUTH=off")) || !bytes.Equal(derived, key("AUTH=on", secret)) {
			t.Error("two servers have two keys")
		}
		if bytes.Equal(kept, derived) || bytes.Equal(derived, other) || len(kept) != 32 || len(derived) != 32 {
			t.Errorf("the keys are %x, %x, %x", kept, derived, other)
		}
		if strings.Contains(secret, string(derived)) {
			t.Error("the key is the secret")
		}
		db.Close()
		if lost := key("AUTH=off"); len(lost) != 32 || bytes.Equal(lost, kept) {
			t.Errorf("without a database the key is %x", lost)
		}
	})
}
