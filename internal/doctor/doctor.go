// Package doctor examines the settings and the database, and says in plain words what is wrong and
// what to do. It writes nothing to the database.
package doctor

import (
	"context"
	"fmt"
	"time"

	"forge/internal/application"
	"forge/internal/database"
	"forge/internal/settings"
)

// State is how bad a finding is.
type State string

// The states of a finding.
const (
	OK      State = "ok"
	Warn    State = "warn"    // it works, and may fail later
	Fail    State = "fail"    // Forge does not work, or not for long
	Skipped State = "skipped" // not examined, because an earlier check failed
)

// A Finding is one result of a check.
type Finding struct {
	Check   string `json:"check"`
	State   State  `json:"state"`
	Message string `json:"message"`
	Advice  string `json:"advice"` // what to do; "" if there is nothing to do
}

// A Doctor examines an application with its settings.
type Doctor struct {
	app       application.Application
	config    *settings.Settings
	processes int // that use these settings and the database

	timeout time.Duration    // for each check
	now     func() time.Time // this machine's clock
	minFree uint64           // bytes that a disk must have free
}

// New returns a doctor for a number of processes of the application with the settings.
func New(app application.Application, s *settings.Settings, processes int) *Doctor {
	return &Doctor{app: app, config: s, processes: processes, timeout: 5 * time.Second, now: time.Now, minFree: 1 << 30}
}

// check is one examination. It has a limited time, even if it ignores its context.
type check struct {
	name string
	look func(*Doctor, context.Context, *database.DB) []Finding
}

// checks returns all checks. Those after the one that reaches the database need it.
func checks() []check {
	return []check{
		{"settings", (*Doctor).settings},
		{"contract", (*Doctor).contract},
		{"identity", (*Doctor).identity},
		{"file", (*Doctor).file},
		{"database", (*Doctor).reach},
		{"schema", (*Doctor).schema},
		{"permissions", (*Doctor).permissions},
		{"accounts", (*Doctor).accounts},
		{"clock", (*Doctor).clock},
		{"pool", (*Doctor).pool},
		{"limits", (*Doctor).limits},
	}
}

// Examine runs all checks, each within 5 seconds. If the database cannot be reached, the checks
// that need it are skipped.
func (d *Doctor) Examine(ctx context.Context) Report {
	var report Report
	db, err := database.Open(d.address(), d.options())
	if err != nil {
		return append(report, fail("database", err.Error(), "Correct "+d.config.NameOf("DATABASE_URL")+"."))
	}
	defer d.close(db)
	for _, c := range checks() {
		if c.needsDatabase() && report.unreachable() {
			report = append(report, Finding{c.name, Skipped, "the database was not reached", ""})
			continue
		}
		report = append(report, d.within(ctx, c, db)...)
	}
	return report
}

func (c check) needsDatabase() bool {
	return c.name != "settings" && c.name != "contract" && c.name != "identity" && c.name != "file"
}

// close closes the database, and gives up if it hangs.
func (d *Doctor) close(db *database.DB) {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_ = db.Close() // nothing was written
	}()
	select {
	case <-closed:
	case <-time.After(d.timeout):
	}
}

// within returns the findings of a check, or that it took too long.
func (d *Doctor) within(ctx context.Context, c check, db *database.DB) []Finding {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	found := make(chan []Finding, 1)
	go func() { found <- c.look(d, ctx, db) }()
	select {
	case findings := <-found:
		if ctx.Err() == nil {
			return findings
		}
	case <-ctx.Done():
	}
	return []Finding{fail(c.name, fmt.Sprintf("no answer within %s", d.timeout),
		"The database hangs, is overloaded, or holds locks on what was asked for: `forge db activity` shows sessions that wait.")}
}

func ok(check, format string, args ...any) Finding {
	return Finding{check, OK, fmt.Sprintf(format, args...), ""}
}

func warn(check, message, advice string) Finding { return Finding{check, Warn, message, advice} }

func fail(check, message, advice string) Finding { return Finding{check, Fail, message, advice} }
