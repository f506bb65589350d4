package main

import (
	"context"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// This file measures what the statements of a workload cost PostgreSQL, whoever sends them. It
// takes them, with their parameters, from PostgreSQL's log while a server answers requests. Then it
// sends them itself, as pgbench would: prepared, over a few connections, with new keys for new
// rows.

// recorded is how many requests of a workload are recorded of each server.
const recorded = 500

// logging has PostgreSQL write a log that programs can read.
const logging = `
logging_collector = on
log_destination = 'csvlog'
log_filename = 'statements.log'
log_truncate_on_rotation = off
log_parameter_max_length = -1
`

// sent is one statement with its parameters. Each of them is a text, or nil for NULL.
type sent struct {
	text   string
	params []any
}

// tape holds the statements of the requests that one server has answered.
type tape struct {
	server string
	works  [][]sent // each a transaction, or a single statement
}

// replayAll compares the statements of the servers on each workload. They take turns.
func (b *bench) replayAll(ctx context.Context) error {
	p := b.store.(postgres) // no other database is measured so
	stored, err := p.keysOf(ctx)
	if err != nil {
		return err
	}
	for _, w := range b.workloads {
		var tapes []*tape
		for _, s := range b.servers {
			t, err := b.record(ctx, p, w, s)
			if err != nil {
				return fmt.Errorf("record %s of %s: %w", w.name, s.name, err)
			}
			tapes = append(tapes, t)
		}
		if err := b.replayTurns(ctx, p, w, tapes, stored); err != nil {
			return err
		}
	}
	return nil
}

// replayTurns replays the tapes of a workload, round by round, and prints the result of each as a
// part of that of the last.
func (b *bench) replayTurns(ctx context.Context, p postgres, w *workload, tapes []*tape, stored map[string]bool) error {
	took, spent := make([][]float64, len(tapes)), make([][]float64, len(tapes))
	for round := range b.options.rounds {
		for turn := range tapes {
			i := (turn + round) % len(tapes) // nobody is always the first after the tables were tidied
			if err := p.tidy(ctx); err != nil {
				return err
			}
			n, seconds, cpu, err := b.replay(ctx, p, tapes[i], stored)
			if err != nil {
				return fmt.Errorf("replay %s of %s: %w", w.name, tapes[i].server, err)
			}
			took[i], spent[i] = append(took[i], seconds/n), append(spent[i], cpu/n)
		}
	}
	last := len(tapes) - 1
	for i, t := range tapes {
		fmt.Printf("%s, statements of %s: %.1f a request; time %.2f, processor time of PostgreSQL %.2f of those of %s\n", w.name, t.server,
			float64(t.statements())/recorded, median(took[i])/median(took[last]), median(spent[i])/median(spent[last]), tapes[last].server)
	}
	return nil
}

func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2]
}

func (t *tape) statements() (n int) {
	for _, work := range t.works {
		n += len(work)
	}
	return n
}

// keysOf returns the keys of the users and products that requests name.
func (p postgres) keysOf(ctx context.Context) (map[string]bool, error) {
	conn, err := pgx.Connect(ctx, p.url())
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, "SELECT id::text FROM users UNION ALL SELECT id::text FROM products")
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	all := make(map[string]bool, len(list))
	for _, key := range list {
		all[key] = true
	}
	return all, err
}

// record sends requests to a server, and returns the statements that it sends to PostgreSQL.
func (b *bench) record(ctx context.Context, p postgres, w *workload, s *server) (*tape, error) {
	l := &load{workload: w, server: s, keys: s.keys, connections: 1}
	send := func() error {
		form, random := s.form(w), rand.New(rand.NewPCG(1, 2))
		c, err := dial(s, form.path)
		if err != nil {
			return err
		}
		defer c.Close()
		for range recorded {
			r := w.next(s.keys, random)
			answer, err := c.post(form.body(nil, &r))
			if err == nil {
				err = l.check(&r, answer)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	name := filepath.Join(p.data(), "log", "statements.csv")
	before, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if err := p.log(ctx, "all"); err != nil {
		return nil, err
	}
	if err := errors.Join(send(), p.log(ctx, "none")); err != nil {
		return nil, err
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if _, err := f.Seek(before.Size(), io.SeekStart); err != nil {
		return nil, err
	}
	works, err := worksIn(f, p.database)
	return &tape{s.name, works}, err
}

// log sets which statements PostgreSQL logs.
func (p postgres) log(ctx context.Context, which string) error {
	err := p.exec(ctx, "postgres", "ALTER SYSTEM SET log_statement = '"+which+"'", "SELECT pg_reload_conf()")
	time.Sleep(200 * time.Millisecond) // the other processes take a moment to reload their settings
	return err
}

var (
	executes  = regexp.MustCompile(`(?s)^(?:execute [^:]*|statement): (.*)$`)
	parameter = regexp.MustCompile(`(?s)\$\d+ = (NULL|'(?:[^']|'')*')`)
)

// worksIn returns the statements in PostgreSQL's log that were sent to a database.
func worksIn(log io.Reader, database string) (works [][]sent, err error) {
	lines, open := csv.NewReader(log), false
	lines.FieldsPerRecord = -1
	for {
		line, err := lines.Read()
		if err == io.EOF {
			return works, nil
		} else if err != nil {
			return nil, err
		}
		found := executes.FindStringSubmatch(line[13])
		if line[2] != database || found == nil {
			continue
		}
		s := sent{text: found[1]}
		for _, p := range parameter.FindAllStringSubmatch(line[14], -1) {
			if p[1] == "NULL" {
				s.params = append(s.params, nil)
			} else {
				s.params = append(s.params, strings.ReplaceAll(p[1][1:len(p[1])-1], "''", "'"))
			}
		}
		verb, _, _ := strings.Cut(strings.ToUpper(s.text), " ")
		if begins := verb == "BEGIN" || verb == "START"; open && !begins {
			works[len(works)-1] = append(works[len(works)-1], s)
		} else {
			works = append(works, []sent{s})
			open = begins
		}
		open = open && verb != "COMMIT" && verb != "ROLLBACK"
	}
}

// replay sends the statements of a tape for the option duration. It returns how many requests they
// would have answered, and how many seconds and seconds of PostgreSQL's processors they took.
func (b *bench) replay(ctx context.Context, p postgres, t *tape, stored map[string]bool) (requests, seconds, cpu float64, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var sent atomic.Int64
	var clients sync.WaitGroup
	faults := make(chan error, b.connections)
	conns := make([]*pgx.Conn, b.connections) // they stay open while processor time is read
	for i := range conns {
		if conns[i], err = pgx.Connect(ctx, p.url()); err != nil {
			return 0, 0, 0, err
		}
		defer conns[i].Close(context.WithoutCancel(ctx))
	}
	before, start := p.process().cpu(), time.Now()
	for i, conn := range conns {
		clients.Go(func() {
			if err := t.play(ctx, conn, i*len(t.works)/b.connections, start.Add(b.duration), stored, &sent); err != nil {
				faults <- err
				cancel()
			}
		})
	}
	clients.Wait()
	seconds, cpu = time.Since(start).Seconds(), p.process().cpu()-before
	select {
	case err = <-faults:
	default:
	}
	return float64(sent.Load()) * recorded / float64(len(t.works)), seconds, cpu, err
}

// play sends the statements of a tape over one connection until end, from a place on.
func (t *tape) play(ctx context.Context, conn *pgx.Conn, place int, end time.Time, stored map[string]bool, n *atomic.Int64) error {
	for ; time.Now().Before(end); place++ {
		made := map[string]string{}
		for _, s := range t.works[place%len(t.works)] {
			params := make([]any, len(s.params))
			for i, param := range s.params {
				if params[i] = param; param != nil {
					params[i] = fresh(param.(string), stored, made)
				}
			}
			if _, err := conn.Exec(ctx, s.text, params...); err != nil {
				return fmt.Errorf("%s: %w", s.text, err)
			}
		}
		n.Add(1)
	}
	return nil
}

var changing = regexp.MustCompile(`[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|user\.[0-9a-f]+@`)

// fresh returns a parameter in which keys of new rows and emails are others. made holds those of
// the same request.
func fresh(param string, stored map[string]bool, made map[string]string) string {
	return changing.ReplaceAllStringFunc(param, func(old string) string {
		if stored[old] {
			return old
		}
		if made[old] == "" {
			if made[old] = fmt.Sprintf("user.%x@", rand.Uint64()); !strings.HasPrefix(old, "user.") {
				made[old] = newKey()
			}
		}
		return made[old]
	})
}

// newKey returns a UUID of version 7.
func newKey() string {
	var u [16]byte
	binary.BigEndian.PutUint64(u[:8], uint64(time.Now().UnixMilli())<<16|7<<12|rand.Uint64N(1<<12))
	binary.BigEndian.PutUint64(u[8:], 1<<63|rand.Uint64()>>2)
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}
