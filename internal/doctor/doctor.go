// Package doctor examines the settings and the database. It reports what is wrong and what to do
// about it, in plain words. It writes nothing to the database.
package doctor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"forge/internal/application"
	"forge/internal/database"
	"forge/internal/settings"
)

// State tells how serious a finding is.
type State string

// These are the states of a finding.
const (
	OK      State = "ok"
	Warn    State = "warn"    // Forge works, but may fail later
	Fail    State = "fail"    // Forge does not work, or soon will not
	Skipped State = "skipped" // not checked, because an earlier check failed
)

// A Finding is one result of a check. A check may have several.
type Finding struct {
	Check   string `json:"check"`
	State   State  `json:"state"`
	Message string `json:"message"`
	Advice  string `json:"advice"` // what to do; "" if there is nothing to do
}

// A Doctor examines an application with its settings and its database.
type Doctor struct {
	app       application.Application
	config    *settings.Settings
	processes int // the number of processes that use these settings and the database

	timeout time.Duration    // the time that each check may take
	now     func() time.Time // this machine's clock
	minFree uint64           // the number of bytes that must be free on the disk
}

// New returns a doctor for an application. processes is the number of processes that run with the
// settings.
func New(app application.Application, s *settings.Settings, processes int) *Doctor {
	return &Doctor{app: app, config: s, processes: processes, timeout: 5 * time.Second, now: time.Now, minFree: 1 << 30}
}

// check is one check. It is given up after the doctor's timeout, even if it does not heed its
// context.
type check struct {
	name string
	look func(*Doctor, context.Context, *database.DB) []Finding
}

// checks returns all checks in their order. Those that need the database come after the check that
// connects to it.
func checks() []check {
	return []check{
		{"settings", (*Doctor).settings},
		{"contract", (*Doctor).contract},
		{"indexes", (*Doctor).indexes},
		{"identity", (*Doctor).identity},
		{"mail", (*Doctor).mail},
		{"file", (*Doctor).file},
		{"files", (*Doctor).storage},
		{"database", (*Doctor).reach},
		{"replication", (*Doctor).replication},
		{"schema", (*Doctor).schema},
		{"permissions", (*Doctor).permissions},
		{"accounts", (*Doctor).accounts},
		{"changes", (*Doctor).changes},
		{"webhooks", (*Doctor).webhooks},
		{"bytes", (*Doctor).bytes},
		{"servers", (*Doctor).servers},
		{"clock", (*Doctor).clock},
		{"pool", (*Doctor).pool},
		{"replicas", (*Doctor).replicas},
		{"limits", (*Doctor).limits},
	}
}

// Examine runs all checks, each for at most 5 seconds. If the database cannot be reached, it skips
// the checks that need it.
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

// Check runs the checks that need nothing but the program: those of the settings, of the contract
// and of the indexes. It names all orders in which the rows of a parent are sorted.
func (d *Doctor) Check(ctx context.Context) Report {
	missing, sorts := d.missing()
	return slices.Concat(Report(d.settings(ctx, nil)), d.contract(ctx, nil), missing, sorts)
}

func (c check) needsDatabase() bool {
	return !slices.Contains([]string{"settings", "contract", "indexes", "identity", "mail", "file", "files"}, c.name)
}

// close closes the database. It returns after the timeout even if the database hangs.
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

// within runs a check. If the check takes too long, the result is one finding that says so.
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
