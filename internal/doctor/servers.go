package doctor

import (
	"context"
	"fmt"
	"strings"

	"entgo.io/ent/dialect"

	"forge/internal/database"
	"forge/internal/shared"
	"forge/internal/token"
)

// servers reports what the servers of the database share, and what each has for itself.
func (d *Doctor) servers(ctx context.Context, db *database.DB) []Finding {
	key, found := d.cursorKey(ctx, db)
	if db.Dialect != dialect.Postgres {
		if key == "" {
			return found
		}
		return append(found, ok("servers", "%s", key))
	}
	parts := []string{"count failures to sign in together"}
	if missing, err := shared.Missing(ctx, db); err != nil || missing != nil {
		return append(found, warn("servers", "each server counts failures to sign in for itself, and has its own persisted documents: the tables cannot be used",
			"`forge migrate up` makes "+strings.Join(missing, ", ")+"."))
	}
	switch {
	case d.config.TrustedDocuments != "" || !d.config.APQ:
	case d.config.APQShared:
		parts = append(parts, "share persisted documents")
	case d.processes > 1:
		parts = append(parts, "have persisted documents of their own: with APQ_SHARED=on, a client sends each once for all")
	}
	message := "they " + strings.Join(parts, ", and ")
	if key != "" {
		message += "; " + key
	}
	return append(found, ok("servers", "%s", message))
}

// cursorKey says where the key of cursors is, or returns a finding if it is not where it should be.
func (d *Doctor) cursorKey(ctx context.Context, db *database.DB) (where string, found []Finding) {
	s := d.config
	if !s.Auth || !s.Token.Given() {
		return "", nil
	}
	keys, err := token.ReadKeys(s.Token.Secret, s.Token.KeysFile)
	if err != nil {
		return "", nil // the check of the identity reports it
	}
	if _, lasting := s.Token.CursorKey(keys); lasting {
		return "the key of cursors is made of a setting", nil
	}
	has, err := shared.HasKey(ctx, db, shared.Cursors)
	switch {
	case err != nil:
		return "", []Finding{warn("servers", fmt.Sprintf("the key of cursors cannot be read from the database, so each server makes up one: cursors of others, and of before a restart, are refused (%v)", err),
			"See that all migrations are applied, and that the role may use the table; or set CURSOR_SECRET, alike for all processes.")}
	case !has:
		return "the database is to keep the key of cursors, and the first server that starts stores one", nil
	}
	return "the database keeps the key of cursors", nil
}
