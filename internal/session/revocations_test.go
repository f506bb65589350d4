package session

import (
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestRevoked(t *testing.T) {
	t.Parallel()
	r := NewRevocations(time.Minute)
	ada, now := uuid.New(), time.Now()
	if r.Revoked(ada, now) || (*Revocations)(nil).Revoked(ada, now) {
		t.Error("nobody's tokens were ended, and one is refused")
	}
	(*Revocations)(nil).Add(ada, now)
	r.Add(ada, now)
	r.Add(ada, now.Add(-time.Hour)) // an older one changes nothing
	if !r.Revoked(ada, now.Add(-time.Microsecond)) || r.Revoked(ada, now) || r.Revoked(uuid.New(), now.Add(-time.Hour)) {
		t.Error("a token counts that is older, or does not that is newer or another user's")
	}
}

func BenchmarkRevoked(b *testing.B) {
	for name, users := range map[string]int{"none": 0, "10000": 10_000} {
		b.Run(name, func(b *testing.B) {
			r := NewRevocations(time.Minute)
			for range users {
				r.Add(uuid.New(), time.Now())
			}
			asked, now := uuid.New(), time.Now()
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					r.Revoked(asked, now)
				}
			})
		})
	}
}
