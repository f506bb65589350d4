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

// headStart is how long the host that was connected to last is tried alone. It then still may win,
// but a host that is silent does not keep others waiting.
const headStart = 300 * time.Millisecond

// connectTime is how long several hosts are tried. Beside hosts that refuse, a silent one is waited
// for so long, and not for the time that connecting to a single host may take.
const connectTime = 2 * time.Second

var errNoPrimary = errors.New("no host that can be written answered within " + connectTime.String())

// hosts opens connections to the one of several servers that can be written.
type hosts struct {
	all  []connector
	last atomic.Int64 // the index of the host that was connected to last
	// timeline is the newest timeline that any pool of this process has seen. PostgreSQL begins a
	// new one with each promotion. So a server that can be written, but is on an older one, is a
	// former primary that nobody has stopped: what it stores would be lost.
	timeline *atomic.Int64
}

// opened is the result of connecting to a host.
type opened struct {
	conn driver.Conn
	host int
	err  error
}

// Connect tries the host that was connected to last, and soon all others at once. It returns the
// first connection to a server that can be written. If there is none, it returns the errors of all
// hosts.
func (h *hosts) Connect(ctx context.Context) (driver.Conn, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, connectTime, errNoPrimary)
	defer cancel()
	results := make(chan opened, len(h.all))
	connect := func(host int) {
		conn, err := h.connect(ctx, host)
		results <- opened{conn, host, err}
	}
	first := int(h.last.Load())
	go connect(first)
	others := func() {
		for i := range h.all {
			if i != first {
				go connect(i)
			}
		}
	}
	late := time.NewTimer(headStart)
	defer late.Stop()
	errs := make([]error, len(h.all))
	for missing, all := len(h.all), false; missing > 0; {
		select {
		case <-late.C:
		case <-ctx.Done():
			go closeAll(results, missing)
			return nil, errors.Join(append(errs, context.Cause(ctx))...)
		case r := <-results:
			missing--
			if r.err == nil {
				h.last.Store(int64(r.host))
				go closeAll(results, missing)
				return r.conn, nil
			}
			errs[r.host] = r.err
		}
		if !all {
			all = true
			others()
		}
	}
	return nil, errors.Join(errs...)
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

// connect connects to one host. It returns an error if the host cannot be written, or is on an older
// timeline than another one.
func (h *hosts) connect(ctx context.Context, host int) (driver.Conn, error) {
	opened, err := h.all[host].Connect(ctx)
	if err != nil {
		return nil, err
	}
	timeline, err := opened.(*conn).timeline(ctx)
	if err == nil {
		err = h.note(timeline)
	}
	if err != nil {
		_ = opened.Close()
		return nil, fmt.Errorf("%s: %w", h.all[host].name, err)
	}
	return opened, nil
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

// timeline returns the timeline of a server that is not a standby. The first 8 digits of the name of
// each file of its log are the timeline.
func (c *conn) timeline(ctx context.Context) (timeline int64, err error) {
	const query = "SELECT substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)"
	rows, err := c.rawConn.QueryContext(ctx, query, nil)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	values := make([]driver.Value, 1)
	if err := rows.Next(values); err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("no timeline")
		}
		return 0, err
	}
	text, _ := values[0].(string)
	if raw, ok := values[0].([]byte); ok {
		text = string(raw)
	}
	return strconv.ParseInt(text, 16, 64)
}
