package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// options say what to measure. Each option is a flag, and an environment variable with the same
// name in upper case.
type options struct {
	workloads   []*workload
	targets     []string
	database    string
	scale       int
	rounds      int
	duration    time.Duration
	connections int
	pool        int
	rtts        []time.Duration
	reuse       string
	base        string
	profile     string
	out         string
	publish     string
	docs        string
	offered     string
	statements  bool
}

func parseOptions(args []string) (*options, error) {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	var o options
	text := func(p *string, name, otherwise, usage string) { f.StringVar(p, name, otherwise, usage) }
	var workloads, targets, rtts string
	text(&workloads, "workloads", "w1,w2,w3,w4,w5,w6,w7", "which to measure; more are w2d, w3d and w4d: the same with random pages, so that clients ask for different ones; and w4x10: w4 with ten times the rows")
	text(&targets, "targets", "", "whom to ask: forge, limit (the hand-written handlers, one statement a level), limit-one (the same, one statement a query), base, stock (ent, entgql and gqlgen as they come), user and admin (Forge with the token of such a one), alone (Forge with SHARED_READS=off); forge, limit and base if empty")
	text(&o.database, "database", "postgres", "postgres, or sqlite: then there is no limit")
	text(&o.reuse, "reuse", "", "a folder for the databases, kept for the next run; if empty they are made anew and removed")
	text(&o.base, "base", "", "another Forge program to compare with, such as one from before a change")
	text(&o.profile, "profile", "", "a folder for a processor and a memory profile of Forge; it is the only target then")
	text(&o.out, "out", "", "a file for the result, as JSON")
	text(&o.publish, "publish", "", "measure nothing: put the result in this file into the documentation")
	text(&o.docs, "docs", "docs", "the documentation's folder, for publish")
	text(&o.offered, "offered", "", "measure no workload: ask for every condition and every order that the schema offers, and write the times into this page")
	text(&rtts, "rtt", "0", "how long the way from a server to PostgreSQL and back takes, such as 0,0.5ms,2ms: everything is measured at each")
	f.BoolVar(&o.statements, "statements", false, "measure no server: send the statements of each target to PostgreSQL again, without it, and compare what they cost there")
	f.IntVar(&o.scale, "scale", 1000, "how much demo data: 20 users, 200 heroes, 100 orders for each")
	f.IntVar(&o.rounds, "rounds", 3, "how often each target is measured on each workload")
	f.DurationVar(&o.duration, "duration", 5*time.Second, "how long each time")
	f.IntVar(&o.connections, "connections", 16, "how many clients at once")
	f.IntVar(&o.pool, "pool", 16, "how many database connections each server has")
	f.VisitAll(func(f *flag.Flag) {
		if value := os.Getenv(strings.ToUpper(f.Name)); value != "" {
			f.DefValue = value
		}
	})
	var wrong error
	f.VisitAll(func(g *flag.Flag) {
		if err := f.Set(g.Name, g.DefValue); err != nil {
			wrong = fmt.Errorf("%s=%q: %w", strings.ToUpper(g.Name), g.DefValue, err)
		}
	})
	if wrong != nil {
		return nil, wrong
	}
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if err := o.parseRTTs(rtts); err != nil {
		return nil, err
	}
	return &o, o.resolve(f.Args(), workloads, targets)
}

// parseRTTs reads the option rtt.
func (o *options) parseRTTs(text string) error {
	for _, part := range strings.Split(text, ",") {
		rtt, err := time.ParseDuration(part)
		if err != nil || rtt < 0 {
			return fmt.Errorf("RTT: %q is no distance, such as 0.5ms", part)
		}
		o.rtts = append(o.rtts, rtt)
	}
	if o.database == "sqlite" && slices.Max(o.rtts) > 0 {
		return fmt.Errorf("RTT=%s: SQLite runs in the server", text)
	}
	if o.profile != "" && len(o.rtts) > 1 {
		return fmt.Errorf("RTT=%s: a profile is of one distance", text)
	}
	return nil
}

// resolve checks the options, and sets those that depend on others. It returns the first error.
func (o *options) resolve(rest []string, names, targets string) error {
	if len(rest) > 0 {
		return fmt.Errorf("%q is no option", rest[0])
	}
	for _, name := range strings.Split(names, ",") {
		i := slices.IndexFunc(workloads, func(w *workload) bool { return w.name == name })
		if i < 0 {
			return fmt.Errorf("WORKLOADS: %q is none", name)
		}
		o.workloads = append(o.workloads, workloads[i])
	}
	if o.duration < time.Second {
		return fmt.Errorf("DURATION=%s: it must be 1s or more", o.duration)
	}
	if o.scale < 5 {
		return fmt.Errorf("SCALE=%d: it must be 5 or more, for there to be users enough", o.scale)
	}
	for name, n := range map[string]int{"ROUNDS": o.rounds, "CONNECTIONS": o.connections, "POOL": o.pool} {
		if n < 1 {
			return fmt.Errorf("%s=%d: it must be 1 or more", name, n)
		}
	}
	if o.database != "postgres" && o.database != "sqlite" {
		return fmt.Errorf("DATABASE=%q: it is postgres or sqlite", o.database)
	}
	for _, path := range []*string{&o.base, &o.profile} { // each server runs in its own folder
		if *path == "" {
			continue
		}
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return err
		}
		*path = absolute
	}
	if o.statements && o.database != "postgres" {
		return fmt.Errorf("STATEMENTS: only those of PostgreSQL are measured")
	}
	if o.profile != "" {
		if err := os.MkdirAll(o.profile, 0o755); err != nil {
			return err
		}
	}
	o.targets = o.possible()
	if targets == "" {
		o.targets = slices.DeleteFunc(o.targets, func(name string) bool { return slices.Contains(onlyAsked, name) })
		return nil
	}
	// Forge provides the keys for the requests.
	asked := append(strings.Split(targets, ","), "forge")
	for _, name := range asked {
		if !slices.Contains(o.targets, name) {
			return fmt.Errorf("TARGETS: %q is none here; there are %s", name, strings.Join(o.targets, ", "))
		}
	}
	o.targets = slices.DeleteFunc(o.targets, func(name string) bool { return !slices.Contains(asked, name) })
	return nil
}

// onlyAsked are the targets that are measured only if they are named.
var onlyAsked = []string{"limit-one", "stock", "user", "admin", "alone"}

// possible returns the targets that can be measured with these options.
func (o *options) possible() []string {
	if o.profile != "" {
		return []string{"forge"}
	}
	list := append([]string{"forge", "limit", "base"}, onlyAsked...)
	return slices.DeleteFunc(list, func(name string) bool {
		return handWritten(name) && o.database != "postgres" || name == "base" && o.base == ""
	})
}

// handWritten reports whether a target is one of the hand-written handlers.
func handWritten(target string) bool { return strings.HasPrefix(target, "limit") }
