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
	"forge/migrate"
)

// Live answers 200 for as long as the process does anything at all.
func Live(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte("ok\n"))
}

// patience is how long the database may take to answer a probe.
const patience = 2 * time.Second

// Ready answers 200 if the database answers and has the schema that this build is for, and otherwise 503 with the
// reason. The log has the details. While a table is locked the schema cannot be compared, and what was last seen of it holds. Once
// running has ended the server is about to leave: 503, whatever the database says.
func Ready(running context.Context, db *database.DB, log *slog.Logger) http.Handler {
	schema := migrate.NewChecker(db.DB, db.Dialect)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, body := http.StatusOK, answer{Status: "ok"}
		if running.Err() != nil {
			status, body = http.StatusServiceUnavailable, answer{Status: "unavailable", Reason: "the server is shutting down"}
		} else if err := check(r.Context(), schema); err != nil {
			status, body = http.StatusServiceUnavailable, answer{Status: "unavailable", Reason: reason(err)}
			log.WarnContext(r.Context(), "not ready", "reason", body.Reason, "error", err)
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	})
}

type answer struct {
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"`
}

func check(ctx context.Context, schema *migrate.Checker) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return schema.Check(ctx)
}

// reason says why the server is not ready, in words that may be shown to everybody: names of migrations, and nothing of what
// tables look like.
func reason(err error) string {
	if pending, ok := errors.AsType[*migrate.PendingError](err); ok {
		return pending.Error()
	}
	refusal, ok := errors.AsType[*migrate.Refusal](err)
	if !ok {
		return "the database does not answer"
	}
	var all []string
	for _, reason := range refusal.Unwrap() {
		if _, ok := reason.(*migrate.DriftError); ok {
			all = append(all, "the schema was changed by hand; the log says what")
		} else {
			all = append(all, reason.Error())
		}
	}
	return strings.Join(all, "; ")
}
