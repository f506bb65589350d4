// Package health answers the probes of whoever runs the server: does it live, and can it be sent requests.
package health

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"forge/internal/database"
	"forge/internal/migrator"
	"forge/migrate"
)

// Live answers 200 for as long as the process does anything at all.
func Live(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte("ok\n"))
}

// Ready answers 200 if the database answers and has the schema that this build is for, and otherwise 503 with the reason. While the
// database can only be read, it answers 200 and says so, or 503 if the request asks for writes=1. The log has the details. While a
// table is locked the schema cannot be compared, and what was last seen of it holds. Once running has ended the server is about to
// leave: 503, whatever the database says.
//
// However many ask, one look at the database is under way at a time, and what it found is good for a second. db should be a pool
// that requests do not use: one that they fill would say nothing of the database.
func Ready(running context.Context, db *database.DB, log *slog.Logger) http.Handler {
	shared := newShared(newLook(db), log)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		found := finding{err: errLeaving}
		if running.Err() == nil {
			found = shared.get(r.Context())
		}
		status, body := http.StatusOK, answer{Status: "ok"}
		if found.err == nil && found.readOnly {
			body.Writable = new(false)
			if r.URL.Query().Get("writes") == "1" {
				found.err = errReadOnly
			}
		}
		if found.err != nil {
			status, body.Status, body.Reason = http.StatusServiceUnavailable, "unavailable", reason(found.err)
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	})
}

// newLook returns what looks at a database.
func newLook(db *database.DB) func(context.Context) finding {
	schema := migrator.NewChecker(migrator.New(migrate.Files, db.Dialect), db.DB)
	return func(ctx context.Context) finding {
		if err := schema.Check(ctx); err != nil {
			return finding{err: err}
		}
		writable, err := db.Writable(ctx)
		return finding{err: err, readOnly: !writable}
	}
}

type answer struct {
	Status   string `json:"status"`
	Reason   string `json:"reason,omitempty"`
	Writable *bool  `json:"writable,omitempty"`
}

// errors whose text is the reason that everybody may read
var (
	errLeaving  = errors.New("the server is shutting down")
	errReadOnly = errors.New("the database can only be read at present")
)

// reason says why the server is not ready, in words that may be shown to everybody: names of migrations, and nothing of what
// tables look like.
func reason(err error) string {
	if errors.Is(err, errLeaving) || errors.Is(err, errReadOnly) {
		return err.Error()
	}
	if moved, ok := errors.AsType[*database.FileError](err); ok {
		return moved.Reason
	}
	if pending, ok := errors.AsType[*migrator.PendingError](err); ok {
		return pending.Error()
	}
	refusal, ok := errors.AsType[*migrator.Refusal](err)
	if !ok {
		return "the database does not answer"
	}
	var all []string
	for _, reason := range refusal.Unwrap() {
		if _, ok := reason.(*migrator.DriftError); ok {
			all = append(all, "the schema was changed by hand; the log says what")
		} else {
			all = append(all, reason.Error())
		}
	}
	return strings.Join(all, "; ")
}

// patience is how long the database may take to answer a probe.
const patience = 2 * time.Second
