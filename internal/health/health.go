// Package health answers the probes that tell an operator whether the server is alive, and whether
// it can answer requests.
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

// Live answers 200 as long as the process runs.
func Live(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte("ok\n"))
}

// Ready returns the handler of the readiness probe. It answers 200 if the database responds and has
// the schema of this build. Otherwise it answers 503 with a reason, and the log has the details. It
// also answers 503 after ctx has ended, because the server is then shutting down. If the database
// can only be read, the answer is 200 and says so. With the parameter writes=1, it is 503 instead.
// The same holds while the database does not answer, but reads reports that queries are answered
// without it, by replicas.
//
// At most one check of the database runs at a time. Its result is used for a second, for any number
// of clients. db should be a pool that requests do not use: if the pool of the requests is full,
// that says nothing about the database. The schema is compared beside the checks; see schema.
func Ready(ctx context.Context, db *database.DB, migrations migrator.Source, reads func() bool, log *slog.Logger) http.Handler {
	shared := newShared(newLook(db, migrations), reads, log)
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
			status, body.Status, body.Reason = http.StatusServiceUnavailable, "unavailable", Reason(found.err)
			w.Header().Set("Retry-After", "1")
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	})
}

// newLook returns the function that checks the database.
func newLook(db *database.DB, migrations migrator.Source) func(context.Context) finding {
	schema := &schema{checker: migrator.NewChecker(migrations, db.DB), now: time.Now}
	return func(ctx context.Context) finding {
		if err := schema.check(ctx); err != nil {
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

// Reason returns why the server is not ready, in words that everybody may see. It may name
// migrations, but does not describe tables.
func Reason(err error) string {
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

// refuses reports whether err comes from a database that answers: what it has cannot be used.
func refuses(err error) bool {
	if _, ok := errors.AsType[*database.FileError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*migrator.PendingError](err); ok {
		return true
	}
	_, ok := errors.AsType[*migrator.Refusal](err)
	return ok
}

// probeTimeout is the time in which the database must answer a probe.
const probeTimeout = 2 * time.Second
