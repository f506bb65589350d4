// Package health answers the probes of whoever runs the server: whether it lives, and whether it
// can take requests.
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
)

// Live answers 200 for as long as the process runs.
func Live(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte("ok\n"))
}

// Ready returns the handler of the readiness probe. It answers 200 if the database answers and has
// the schema of this build, and otherwise 503 with the reason. Once ctx has ended, the server is
// shutting down and the answer is 503. If the database is read-only, the answer is 200 and says so,
// or 503 if the request asks for writes=1. The log has the details.
//
// Only one check of the database runs at a time, and its result holds for a second, however many
// clients ask. db should be a pool that requests do not use: a full pool says nothing about the
// database. While a table is locked its schema cannot be compared, and the last known result holds.
func Ready(ctx context.Context, db *database.DB, migrations migrator.Source, log *slog.Logger) http.Handler {
	shared := newShared(newLook(db, migrations), log)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		found := finding{err: errLeaving}
		if ctx.Err() == nil {
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

// newLook returns a function that checks a database.
func newLook(db *database.DB, migrations migrator.Source) func(context.Context) finding {
	schema := migrator.NewChecker(migrations, db.DB)
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

// These errors may be shown to everybody.
var (
	errLeaving  = errors.New("the server is shutting down")
	errReadOnly = errors.New("the database can only be read at present")
)

// reason returns why the server is not ready, in words that everybody may see. It names migrations,
// and nothing of what the tables are like.
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

// probeTimeout bounds the time that the database has to answer a probe.
const probeTimeout = 2 * time.Second
