package database

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strconv"
	"strings"
	"time"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"

	"forge/internal/database/pgwire"
)

// Statement is a statement of PostgreSQL that changes rows and returns none. Its arguments are
// strings, integers, times and UUIDs.
type Statement struct {
	Text string
	Args []any
}

// command returns the statement as it is sent.
func (s Statement) command() pgwire.Command {
	args := make([]*string, len(s.Args))
	for i, arg := range s.Args {
		args[i] = new(string)
		switch arg := arg.(type) {
		case string:
			*args[i] = arg
		case int:
			*args[i] = strconv.Itoa(arg)
		case uuid.UUID:
			*args[i] = arg.String()
		case time.Time:
			*args[i] = arg.Format(time.RFC3339Nano)
		default:
			panic(fmt.Sprintf("database: a statement that precedes another one has an argument of the type %T", arg))
		}
	}
	return pgwire.Command{Text: s.Text, Args: args}
}

// Pipelined reports whether BeginWith and CommitAfter can be called.
func (db *DB) Pipelined() bool { return db.Dialect == dialect.Postgres }

// BeginWith begins a transaction that writes, and runs a statement in it. Both are sent with the
// connection's next statement, in one round trip. If one of them fails, the next statement is not
// run, and returns the error.
func (db *DB) BeginWith(c Conn, s Statement) error {
	var commands []pgwire.Command
	for text := range strings.SplitSeq(db.Begin(true), "; ") {
		commands = append(commands, pgwire.Command{Text: text})
	}
	return c.Raw(func(raw any) error {
		raw.(*conn).session.Precede(append(commands, s.command())...)
		return nil
	})
}

// CommitAfter runs a statement and commits the transaction, in one round trip. If the statement
// fails, CommitAfter rolls the transaction back and returns the error of the statement. Otherwise
// it returns what Commit returns.
func (c Conn) CommitAfter(ctx context.Context, s Statement) error {
	err := c.Raw(func(raw any) error {
		conn := raw.(*conn)
		if err := conn.flush(ctx); err != nil {
			return err
		}
		conn.session.PrecedeCommit(s.command())
		return nil
	})
	if err != nil {
		return err
	}
	return c.Commit(ctx)
}

// flush sends the statements that wait for the next one, if there are any.
func (c *conn) flush(ctx context.Context) error {
	if !c.session.Pending() {
		return nil
	}
	// With an argument, it is a statement of the extended protocol.
	found, err := c.rawConn.QueryContext(ctx, "SELECT $1::text", []driver.NamedValue{{Ordinal: 1, Value: ""}})
	if err == nil {
		err = found.Close()
	}
	return c.outcome(err)
}
