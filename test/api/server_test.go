package api_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"

	"forge/internal/metrics"
	"forge/internal/migrator"
	observed "forge/internal/operator"
	"forge/internal/viewer"
	"forge/migrate"
	"forge/test/dbtest"
)

const serverQuery = `{ server { version startedAt
	health { ready reason writable database requestsInFlight connections { most open inUse waited } replicas { name } }
	migrations { applied { name appliedAt changed } pending problem drift notCompared }
	activity { sizeBytes sessions { application state since transaction waitsFor blockedBy statement } }
	operations { name count failed meanMs p50Ms p99Ms statements databaseMs retries } refusals { limit count }
	mails { waiting oldestAt givenUp newest { template createdAt failedAt failures lastError } } } }`

// newOperatedAPI returns an API that tells of its server.
func newOperatedAPI(t *testing.T, url string) *api {
	a := newBareAPI(t, url)
	a.self = viewer.System
	cfg := usual()
	cfg.Operator = a.operator()
	a.configure(cfg)
	return a
}

// operator returns what tells of the server.
func (a *api) operator() *observed.Operator {
	return observed.New(observed.Options{
		Version: "1.2.3", DB: a.db, Monitor: a.db, Migrations: migrator.New(migrate.Files, a.db.Dialect), Metrics: metrics.New(a.db)})
}

// TestServer asks what a server tells, as an administrator, and as others.
func TestServer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newOperatedAPI(t, url)
		got := a.Must(serverQuery, nil)
		if got.Text("server.version") != "1.2.3" || got.At("server.health.ready") != true || got.Len("server.migrations.applied") == 0 ||
			got.Len("server.migrations.pending") != 0 || got.Len("server.migrations.drift") != 0 || got.Statements() != 0 {
			t.Errorf("the server tells %s", got)
		}
		if got.Number("server.mails.waiting") != 0 || got.At("server.mails.oldestAt") != nil || got.Number("server.mails.givenUp") != 0 {
			t.Errorf("there are no mails, and the server tells %s", got)
		}
		a.as(viewer.Viewer{}).WantCode("UNAUTHENTICATED", serverQuery, nil)
		a.as(viewer.Viewer{ID: uuid.Must(uuid.NewV7()), Role: viewer.User}).WantCode("FORBIDDEN", serverQuery, nil)
		a.WantCode("BAD_USER_INPUT", `{ server { operations(first: 101) { name } } }`, nil)
	})
}

// TestServerMails asks for the mails that were not sent. To whom they were to go is not told.
func TestServerMails(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newOperatedAPI(t, url)
		queued := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		for i, failed := range []*time.Time{nil, new(queued.Add(time.Hour)), new(queued.Add(2 * time.Hour))} {
			var id any = uuid.Must(uuid.NewV7())
			if a.db.Dialect == dialect.SQLite {
				id, _ = id.(uuid.UUID).MarshalBinary()
			}
			if _, err := a.db.ExecContext(t.Context(), "INSERT INTO mails (id, template, recipient, created_at, due_at, failures, last_error, failed_at) VALUES ($1, $2, 'somebody@example.com', $3, $3, $4, 'refused', $5)",
				id, "template"+strconv.Itoa(i), queued, i, failed); err != nil {
				t.Fatal(err)
			}
		}
		got := a.Must(serverQuery, nil)
		if got.Number("server.mails.waiting") != 1 || got.Text("server.mails.oldestAt") != "2026-01-02T03:04:05Z" || got.Number("server.mails.givenUp") != 2 ||
			got.Text("server.mails.newest.0.template") != "template2" || got.Text("server.mails.newest.0.failedAt") != "2026-01-02T05:04:05Z" ||
			got.Number("server.mails.newest.1.failures") != 1 || strings.Contains(got.String(), "@") {
			t.Errorf("the server tells %s", got)
		}
	})
}

// TestServerActivity has another program do something that is shown, without its values, and change
// the schema by hand.
func TestServerActivity(t *testing.T) {
	a := newOperatedAPI(t, dbtest.Postgres(t))
	conn, err := a.db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, s := range []string{"BEGIN", "CREATE TABLE by_hand (id int)", "ALTER TABLE users ADD COLUMN by_hand int", "COMMIT", "BEGIN", "SELECT 'a secret', 424242 FROM by_hand"} {
		if _, err := conn.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	got := a.Must(serverQuery, nil)
	if strings.Contains(got.Body, "a secret") || strings.Contains(got.Body, "424242") {
		t.Errorf("a value is shown: %s", got)
	}
	if !strings.Contains(got.Body, "SELECT ?, ? FROM by_hand") || !strings.Contains(got.Body, "idle in transaction") {
		t.Errorf("the session is not shown: %s", got)
	}
	if got.Len("server.migrations.drift") != 1 || got.At("server.health.ready") != false || strings.Contains(got.Text("server.health.reason"), "by_hand") {
		t.Errorf("drift: %s", got)
	}
}

// TestServerWithoutDatabase asks while the database is away: what needs it says so, within its
// time, and the rest is there.
func TestServerWithoutDatabase(t *testing.T) {
	a := newOperatedAPI(t, dbtest.SQLite(t))
	if err := a.db.DB.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	got := a.Send(ctx, `{ server { version health { ready reason } } }`, nil)
	if got.At("server.health.ready") != false || got.Text("server.health.reason") != "the database does not answer" {
		t.Errorf("health: %s", got)
	}
	for _, part := range []string{"migrations { pending }", "activity { sizeBytes }", "mails { waiting }"} {
		if got := a.Send(ctx, `{ server { `+part+` } }`, nil); got.Code() != "UNAVAILABLE" {
			t.Errorf("%s: %s", part, got)
		}
	}
}
