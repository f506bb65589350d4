package database

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync/atomic"
	"time"
)

const (
	// connectTime is how long several hosts are tried. Beside hosts that refuse, a silent one is
	// waited for so long, and not for the time that connecting to a single host may take.
	connectTime = 2 * time.Second
	// headStart is how long the host that was connected to last is tried alone. It then still may
	// win, but a host that is silent does not keep others waiting.
	headStart = 300 * time.Millisecond
	// compareTime is how long other hosts are waited for when one can be written, if connections
	// were lost before: another one may be on a newer timeline.
	compareTime = 300 * time.Millisecond
)

var errNoPrimary = errors.New("no host that can be written answered within " + connectTime.String())

// hosts opens connections to the one of several servers that can be written.
type hosts struct {
	all     []connector
	last    atomic.Int64 // the index of the host that was connected to last
	settled atomic.Bool  // no connection was lost, and none failed, since all hosts were compared
	// timeline is the newest timeline that any pool of this process has seen. PostgreSQL begins a
	// new one with each promotion. So a server that can be written, but is on an older one, is a
	// former primary that nobody has stopped: what it stores would be lost.
	timeline *atomic.Int64
}

// opened is the result of connecting to a host.
type opened struct {
	conn *conn
	host int
	err  error
}

// Connect returns a connection to the host that can be written. It tries the one that was connected
// to last, and soon all others. After a loss it asks all of them at once, and takes the one on the
// newest timeline. If none can be written, it returns the errors of all hosts.
func (h *hosts) Connect(ctx context.Context) (driver.Conn, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, connectTime, errNoPrimary)
	defer cancel()
	c := &choice{hosts: h, ctx: ctx, results: make(chan opened, len(h.all)), asked: make([]bool, len(h.all))}
	settled := h.settled.Load()
	if settled {
		c.ask(int(h.last.Load()))
	} else {
		c.askAll()
	}
	best, errs := c.await(settled)
	go closeAll(c.results, c.missing)
	if best.conn == nil {
		h.settled.Store(false)
		return nil, errors.Join(errs...)
	}
	h.last.Store(int64(best.host))
	h.settled.Store(true)
	return best.conn, nil
}

// choice is one call of Connect.
type choice struct {
	*hosts
	ctx     context.Context
	results chan opened
	asked   []bool
	missing int // how many of those that were asked have not answered
}

func (c *choice) ask(host int) {
	c.asked[host] = true
	c.missing++
	go func() {
		conn, err := c.connect(c.ctx, host)
		c.results <- opened{conn, host, err}
	}()
}

func (c *choice) askAll() {
	for host, asked := range c.asked {
		if !asked {
			c.ask(host)
		}
	}
}

// await returns the first connection, or with the newest timeline of those that come soon if the
// hosts are not settled. Otherwise it returns the errors of the hosts.
func (c *choice) await(settled bool) (best opened, errs []error) {
	late, enough := time.NewTimer(headStart), (<-chan time.Time)(nil)
	defer late.Stop()
	for c.missing > 0 {
		select {
		case <-c.ctx.Done():
			return best, append(errs, context.Cause(c.ctx))
		case <-enough:
			return best, nil
		case <-late.C:
			c.askAll()
		case r := <-c.results:
			c.missing--
			if r.err != nil {
				errs = append(errs, r.err)
				c.askAll()
				continue
			}
			if best.conn == nil || r.conn.on > best.conn.on {
				best, r = r, best
			}
			if r.conn != nil {
				_ = r.conn.Close()
			}
			if settled {
				return best, nil
			}
			if enough == nil {
				enough = time.After(compareTime)
			}
		}
	}
	return best, errs
}

// closeAll closes the connections among n results that come late.
func closeAll(results <-chan opened, n int) {
	for range n {
		if r := <-results; r.err == nil {
			_ = r.conn.Close()
		}
	}
}

// Driver returns the driver of the connections.
func (h *hosts) Driver() driver.Driver { return h.all[0].Driver() }

// connect connects to one host. It returns an error if the host cannot be written, or is on an
// older timeline than another one.
func (h *hosts) connect(ctx context.Context, host int) (*conn, error) {
	opened, err := h.all[host].Connect(ctx)
	if err != nil {
		return nil, err
	}
	c := opened.(*conn)
	if c.on, err = c.timeline(ctx); err == nil {
		c.newest = h.timeline
		err = h.note(c.on)
	}
	if err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("%s: %w", h.all[host].name, err)
	}
	return c, nil
}

// note records the timeline of a server that can be written. It returns an error if a newer one is
// known.
func (h *hosts) note(timeline int64) error {
	for {
		newest := h.timeline.Load()
		if timeline < newest {
			return fmt.Errorf("it can be written, but it is a former primary: its timeline is %d, and that of the primary is %d", timeline, newest)
		}
		if timeline == newest || h.timeline.CompareAndSwap(newest, timeline) {
			return nil
		}
	}
}

// timeline returns the timeline of a server that is not a standby. The first 8 digits of the name
// of each file of its log are the timeline.
func (c *conn) timeline(ctx context.Context) (timeline int64, err error) {
	text, err := c.ask(ctx, "SELECT substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)")
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(text, 16, 64)
}

// ask returns the text that a query without parameters returns in its only row.
func (c *conn) ask(ctx context.Context, query string) (string, error) {
	rows, err := c.rawConn.QueryContext(ctx, query, nil)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	values := make([]driver.Value, 1)
	if err := rows.Next(values); err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("no row")
		}
		return "", err
	}
	return text(values[0]), nil
}
