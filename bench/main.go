// Bench compares Forge with handlers that were written by hand: the requests per second, their
// times, and the processor time and memory of the servers. docs/performance.md explains the method,
// and how to read the results. Bench runs on Linux and needs PostgreSQL's programs. It removes
// everything that it creates.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o, err := parseOptions(os.Args[1:])
	switch {
	case err != nil:
	case o.publish != "":
		err = publish(o.publish, o.docs)
	default:
		err = run(ctx, o)
	}
	if ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is one run of the program.
type bench struct {
	*options
	programs string // the folder with the programs forge, limit and stock
	logs     string
	store    store
	servers  []*server
	keys     *keys         // Forge's
	rtt      time.Duration // the one being measured
	result   result
}

func run(ctx context.Context, o *options) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	logs, err := os.MkdirTemp("", "forge-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(logs)
	b := &bench{options: o, programs: filepath.Dir(self), logs: logs}
	b.store, err = b.openStore(ctx)
	if err != nil {
		return err
	}
	defer b.store.close()
	database, err := b.store.name(ctx)
	if err != nil {
		return err
	}
	if o.offered != "" {
		return b.measureOffered(ctx)
	}
	b.result = newResult(o, database)
	for _, b.rtt = range o.rtts {
		if err := b.measureAt(ctx); err != nil {
			return err
		}
	}
	if o.profile != "" {
		return nil
	}
	return b.result.write(o.out)
}

// measureAt measures all targets with PostgreSQL at the distance b.rtt.
func (b *bench) measureAt(ctx context.Context) error {
	url := b.store.url()
	if b.rtt > 0 {
		dir := filepath.Join(b.logs, "rtt")
		p, err := startProxy(dir, b.store.(postgres).dir, b.rtt/2) // SQLite has no distance
		if err != nil {
			return err
		}
		defer p.close()
		url = address(dir, measuredDatabase)
	}
	defer func() {
		for _, s := range b.servers {
			s.stop()
		}
		b.servers = nil
	}()
	if err := b.startServers(url); err != nil {
		return err
	}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	if b.statements {
		return b.replayAll(ctx)
	}
	all := func() error { return b.measureAll(ctx) }
	if b.profile != "" {
		return profiled(ctx, b.servers[0], b.profile, all)
	}
	return all()
}

// prepare gives each server the keys that its requests are drawn from. Once in a run it reads those
// of Forge, and fills the stock.
func (b *bench) prepare(ctx context.Context) (err error) {
	first := b.keys == nil
	if first {
		fmt.Println("reading keys")
		if b.keys, err = readKeys(ctx, b.servers[0]); err != nil {
			return err
		}
	}
	for _, s := range b.servers {
		s.keys = b.keys
		if s.name == "stock" || s.token != "" { // a server that checks tokens encrypts its cursors with its own key
			if s.keys, err = readKeys(ctx, s); err != nil {
				return err
			}
		}
	}
	if first && slices.ContainsFunc(b.workloads, func(w *workload) bool { return w.name == "w7" }) {
		return fillStock(ctx, b.servers[0], b.keys)
	}
	return nil
}

func (b *bench) measureAll(ctx context.Context) error {
	for _, w := range b.workloads {
		if err := b.measure(ctx, w); err != nil {
			return err
		}
		b.result.print(os.Stdout, w, b.rtt)
	}
	return nil
}

// startServers starts a server for each target. Forge comes first. Database is the address of the
// database.
func (b *bench) startServers(database string) error {
	for _, name := range b.targets {
		program, form := filepath.Join(b.programs, name), graphql
		switch name {
		case "limit", "limit-one":
			program, form = filepath.Join(b.programs, "limit"), plain
		case "base":
			program = b.base
		case "user", "admin", "alone":
			program = filepath.Join(b.programs, "forge")
		}
		s, err := startServer(name, program, b.logs, b.environ(name, database)...)
		if err != nil {
			return err
		}
		s.form = form
		b.servers = append(b.servers, s)
		if err := s.signIn(); err != nil {
			return fmt.Errorf("sign in as %s: %w", name, err)
		}
	}
	return nil
}

// environ returns the environment of a server. Forge runs as in production, but does not log each
// request, because the other servers do not do so. The garbage collector of all servers saves time
// at the cost of memory.
func (b *bench) environ(name, database string) []string {
	own := "SHARED_READS=" + cmp.Or(os.Getenv("SHARED_READS"), "on")
	switch name {
	case "alone":
		own = "SHARED_READS=off"
	case "limit-one":
		own = "ONE_STATEMENT=on"
	}
	return append(signed(name), own, "DATABASE_URL="+database, fmt.Sprint("POOL_SIZE=", b.pool), "GOGC=400", "FORGE_ENV=production", "LOG_LEVEL=warn", "DEMO=off",
		"MAX_COST=30000", // for w4x10
		"PROFILE="+b.profile)
}
