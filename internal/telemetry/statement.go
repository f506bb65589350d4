package telemetry

import (
	"context"
	"slices"
	"time"
)

// Shape is a statement without its values, and what all of its runs in a request took.
type Shape struct {
	SQL    string        `json:"sql"` // its text, with placeholders
	Count  int           `json:"count"`
	Failed int           `json:"failed,omitempty"`
	Time   time.Duration `json:"-"`
	Millis float64       `json:"ms"` // Time, for log lines
}

// maxShapes is how many different statements of a request are told apart; those that follow are counted only.
const maxShapes = 32

// Statement counts a statement that the request of ctx ran. text holds no values.
func (r *Record) Statement(ctx context.Context, text string, took time.Duration, err error) {
	if r == nil {
		return
	}
	if r.spans.tracer != nil {
		r.traceStatement(ctx, text, took, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.statements++
	r.databaseTime += took
	shape := r.shape(text)
	if shape == nil {
		return
	}
	shape.Count++
	shape.Time += took
	if err != nil {
		shape.Failed++
	}
}

// shape returns the entry for text, or nil if there are too many already.
func (r *Record) shape(text string) *Shape {
	for i := range r.shapes {
		if r.shapes[i].SQL == text {
			return &r.shapes[i]
		}
	}
	if len(r.shapes) == maxShapes {
		return nil
	}
	if r.shapes == nil {
		r.shapes = r.space[:0]
	}
	r.shapes = append(r.shapes, Shape{SQL: text})
	return &r.shapes[len(r.shapes)-1]
}

// Database returns how many statements the request ran in all of its attempts, and how long they took together.
func (r *Record) Database() (statements int, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.statements, r.databaseTime
}

// maxText is how much of a statement is logged, in bytes.
const maxText = 2000

// Shapes returns the statements of the request, 32 different ones at most and up to 2,000 bytes of each, those first that took longest.
func (r *Record) Shapes() []Shape {
	r.mu.Lock()
	defer r.mu.Unlock()
	shapes := slices.Clone(r.shapes)
	slices.SortStableFunc(shapes, func(a, b Shape) int { return int(b.Time - a.Time) })
	for i := range shapes {
		shapes[i].SQL = cut(shapes[i].SQL, maxText)
		shapes[i].Millis = Millis(shapes[i].Time)
	}
	return shapes
}

// Millis returns a time in milliseconds, to three places.
func Millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// cut shortens a text to n bytes and says so.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return text[:n] + "…"
}
