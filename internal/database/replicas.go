package database

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// ServerIdentity is an expression of PostgreSQL's SQL. Its text differs between servers, and
// between two starts of one.
const ServerIdentity = `concat_ws(' ', EXTRACT(epoch FROM pg_postmaster_start_time()), inet_server_addr(), inet_server_port())`

// WatchPool returns a pool with one connection to the same database. The connection is kept until
// it is lost.
func (db *DB) WatchPool() (*DB, error) {
	opt := db.Options
	opt.PoolSize, opt.PoolTimeout, opt.Recycle, opt.IdleTime, opt.Connected, opt.Server = 1, monitorTimeout, 0, 0, nil, nil
	opt.ApplicationName = cmp.Or(opt.ApplicationName, "forge") + " watches"
	opt.limitSteps()
	return Open(db.address, opt)
}

// LogPosition is a place in the log of a PostgreSQL server.
type LogPosition struct {
	Timeline uint32
	LSN      uint64
}

// commitAt reads the position in the same message. An LSN that the transaction reads itself would
// be before that of its commit.
const commitAt = "COMMIT; SELECT pg_walfile_name(pg_current_wal_insert_lsn()), pg_current_wal_insert_lsn()"

// CommitAt does the same as Commit, on PostgreSQL, and returns a position after the commit.
func (c Conn) CommitAt(ctx context.Context) (at LogPosition, err error) {
	ctx, cancel := c.commitContext(ctx)
	defer cancel()
	err = c.Raw(func(raw any) error {
		at, err = raw.(*conn).commitAt(ctx)
		return err
	})
	return at, err
}

func (c *conn) commitAt(ctx context.Context) (at LogPosition, err error) {
	if err := c.flush(ctx); err != nil {
		return at, err
	}
	watched, done := c.watch(ctx)
	defer done()
	c.session.Begin()
	found, err := c.rawConn.QueryContext(watched, commitAt, nil)
	if err == nil {
		err = all(ctx, found, at.read)
		err = cmp.Or(err, found.Close())
	}
	c.used = time.Now()
	if e, ok := errors.AsType[*pq.Error](err); ok && slices.Contains(afterCommit, e.Code.Class()) {
		return at, unanswered{err}
	}
	return at, c.outcome(err)
}

// afterCommit are the classes of errors that the second statement of commitAt may return. After one
// of them the first may have been carried out.
var afterCommit = []pqerror.Class{"42", "53", "54", "55", "57", "58", "XX"}

// read reads the position from the row of commitAt.
func (p *LogPosition) read(values []driver.Value) error {
	var high, low uint32
	if _, err := fmt.Sscanf(text(values[0]), "%08X", &p.Timeline); err != nil {
		return fmt.Errorf("the name of a file of the log: %w", err)
	}
	if _, err := fmt.Sscanf(text(values[1]), "%X/%X", &high, &low); err != nil {
		return fmt.Errorf("a position in the log: %w", err)
	}
	p.LSN = uint64(high)<<32 | uint64(low)
	return nil
}

func text(value driver.Value) string {
	if b, ok := value.([]byte); ok {
		return string(b)
	}
	s, _ := value.(string)
	return s
}

// TimedOut reports whether err means that a statement took too long, or waited too long for a
// connection, or that nobody waits for it any more.
func TimedOut(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || errors.Is(err, errPoolTimeout) ||
		errors.Is(err, errStatementTimeout) || isPQ(err, pqerror.QueryCanceled)
}

// CheckReplica returns an error unless an address is that of one PostgreSQL server.
func CheckReplica(address string) error {
	if !strings.HasPrefix(address, "postgres://") && !strings.HasPrefix(address, "postgresql://") {
		return errors.New("a replica's address begins with postgres://")
	}
	db, err := Open(address, Options{}) // checks the address, and does not connect
	if err != nil {
		return err
	}
	defer db.Close()
	switch name := HostOf(address); {
	case name == "":
		return errors.New("a replica's address names its host")
	case strings.Contains(name, ","):
		return errors.New("a replica's address names one host; write an address for each, separated by blanks")
	case db.Options.PgBouncer:
		return errors.New("a replica's address is that of PostgreSQL itself, not of PgBouncer")
	}
	return nil
}

// HostOf returns the host and port of an address of PostgreSQL, or "" if it names none.
func HostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	host := cmp.Or(u.Query().Get("host"), u.Hostname())
	if host == "" {
		return ""
	}
	return net.JoinHostPort(host, cmp.Or(u.Query().Get("port"), u.Port(), "5432"))
}
