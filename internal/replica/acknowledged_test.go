package replica

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"forge/internal/database"
)

// TestWitnesses takes the primary away, and looks at who may tell what it has acknowledged: all
// standbys, or nobody.
func TestWitnesses(t *testing.T) {
	t.Parallel()
	away := errors.New("away")
	promoted := func(s *sample) { s.standby, s.Timeline = false, s.Timeline+1 }
	for name, tt := range map[string]struct {
		standbys int
		b, c     func(*sample)
		want     []string
	}{
		"both standbys":                   {standbys: 2, want: []string{"b", "c"}},
		"one of them was away before":     {standbys: 1, want: []string{"b", "c"}},
		"one of them is away":             {standbys: 2, c: func(s *sample) { s.err = away }},
		"one of them was away, and is":    {standbys: 1, c: func(s *sample) { s.err = away }},
		"one of them is promoted":         {standbys: 2, b: promoted},
		"one of them follows another":     {standbys: 2, b: func(s *sample) { s.Timeline++ }},
		"one of them is of another":       {standbys: 2, b: func(s *sample) { s.System++ }},
		"a third one, which is not named": {standbys: 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, start := newSet(Options{MaxLag: time.Minute}, "a", "b", "c")
				s.primary.publish(at(100, start, false))
				s.replicas[0].publish(at(100, start, false)) // the primary, under its own name
				time.Sleep(time.Second)
				gone := at(0, time.Now(), false)
				gone.err = away
				s.primary.publish(gone)
				s.replicas[0].publish(gone)
				for i, change := range []func(*sample){tt.b, tt.c} {
					last := at(100, time.Now().Add(time.Millisecond), true)
					if change != nil {
						change(&last)
					}
					s.replicas[1+i].publish(last)
				}
				found, err := s.witnesses(t.Context(), tt.standbys)
				var names []string
				for _, h := range found {
					names = append(names, h.Name)
				}
				if !slices.Equal(names, tt.want) || (err == nil) != (tt.want != nil) {
					t.Errorf("%v, %v, want %v", names, err, tt.want)
				}
			})
		})
	}
}

// TestNobodyAcknowledges asks replicas of a primary that waits for no standby.
func TestNobodyAcknowledges(t *testing.T) {
	t.Parallel()
	s, start := newSet(Options{MaxLag: time.Minute}, "a")
	s.primary.DB = &database.DB{}
	s.primary.publish(at(100, start, false))
	s.replicas[0].publish(at(100, time.Now().Add(time.Minute), true))
	if found, err := s.Acknowledged(t.Context()); !errors.Is(err, errAlone) {
		t.Errorf("%v, %v", found, err)
	}
}
