package session

import (
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestValidAfter(t *testing.T) {
	t.Parallel()
	r := NewRevocations(nil, time.Minute)
	ada, now := uuid.New(), time.Now()
	after := func(r *Revocations, user uuid.UUID) time.Time {
		at, _ := r.ValidAfter(user)
		return at
	}
	if !after(r, ada).IsZero() || !after(nil, ada).IsZero() {
		t.Error("nobody's tokens were ended, and some do not count")
	}
	(*Revocations)(nil).Add(ada, now)
	r.Add(ada, now)
	r.Add(ada, now.Add(-time.Hour)) // an older one has no effect
	if !after(r, ada).Equal(now) || !after(r, uuid.New()).IsZero() {
		t.Errorf("tokens count after %v, want %v", after(r, ada), now)
	}
}

func BenchmarkValidAfter(b *testing.B) {
	for name, users := range map[string]int{"none": 0, "10000": 10_000} {
		b.Run(name, func(b *testing.B) {
			r := NewRevocations(nil, time.Minute)
			for range users {
				r.Add(uuid.New(), time.Now())
			}
			asked := uuid.New()
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					_, _ = r.ValidAfter(asked)
				}
			})
		})
	}
}
