// Package progress tells the person who waits what takes long: on a terminal in a line that is
// written over, and otherwise in the log.
package progress

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"forge/internal/terminal"
)

// Nothing is told before patience, and then at these intervals.
const (
	patience  = 2 * time.Second
	lineEvery = time.Second
	logEvery  = 10 * time.Second
	eraseLine = "\r\x1b[K"
	maxDetail = 60 // runes, so that the line fits on a terminal of 100 columns
)

// reporter is where progress is told.
type reporter struct {
	out  io.Writer // a terminal, or nil
	log  *slog.Logger
	name string

	mu     sync.Mutex
	detail string // how far it is
}

type key struct{}

// NewContext returns a context whose work is told on out if that is a terminal, and otherwise in
// the log.
func NewContext(ctx context.Context, out io.Writer, log *slog.Logger) context.Context {
	r := &reporter{log: log}
	if terminal.Is(out) {
		r.out = out
	}
	return context.WithValue(ctx, key{}, r)
}

// Begin begins work with a name such as "filling in demo data". It returns the context for the
// work, and a function that ends it. Without NewContext, nothing is told.
func Begin(ctx context.Context, name string) (context.Context, func()) {
	outer, ok := ctx.Value(key{}).(*reporter)
	if !ok {
		return ctx, func() {}
	}
	r := &reporter{out: outer.out, log: outer.log, name: name}
	done, told := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(told)
		r.tell(ctx, done)
	}()
	var once sync.Once
	return context.WithValue(ctx, key{}, r), func() {
		once.Do(func() { close(done) })
		<-told
	}
}

// At says how far the work of ctx is, such as "table 3 of 9".
func At(ctx context.Context, format string, args ...any) {
	if r, ok := ctx.Value(key{}).(*reporter); ok {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.detail = fmt.Sprintf(format, args...)
	}
}

// tell tells until done is closed.
func (r *reporter) tell(ctx context.Context, done <-chan struct{}) {
	began, every := time.Now(), logEvery
	if r.out != nil {
		every = lineEvery
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	shown := false
	for {
		select {
		case <-timer.C:
			r.once(ctx, time.Since(began))
			shown = true
			timer.Reset(every)
		case <-done:
			if shown && r.out != nil {
				fmt.Fprint(r.out, eraseLine)
			}
			return
		}
	}
}

// once tells how far the work is.
func (r *reporter) once(ctx context.Context, since time.Duration) {
	r.mu.Lock()
	detail := r.detail
	r.mu.Unlock()
	seconds := int(since.Seconds())
	if r.out == nil {
		r.log.InfoContext(ctx, "still "+r.name, "at", detail, "seconds", seconds)
		return
	}
	if runes := []rune(detail); len(runes) > maxDetail {
		detail = string(runes[:maxDetail-1]) + "…"
	}
	if detail != "" {
		detail = ": " + detail
	}
	fmt.Fprintf(r.out, "%s%s%s (%d s)", eraseLine, r.name, detail, seconds)
}
