package retry_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"forge/internal/retry"
)

func TestBackoffPause(t *testing.T) {
	b := retry.Backoff{First: time.Second, Max: 5 * time.Second}
	for i, want := range []time.Duration{1, 2, 4, 5, 5} {
		if got := b.Pause(i + 1); got != want*time.Second {
			t.Errorf("the pause after attempt %d is %s, want %s", i+1, got, want*time.Second)
		}
	}
	if got := b.Pause(1 << 20); got != b.Max {
		t.Errorf("the pause after very many attempts is %s, want %s", got, b.Max)
	}
	b.Jitter = 0.5
	shorter := false
	for range 1000 {
		got := b.Pause(1)
		if got > b.First || got < b.First/2 {
			t.Fatalf("a pause with a random half is %s, want %s to %s", got, b.First/2, b.First)
		}
		shorter = shorter || got < b.First*9/10
	}
	if !shorter {
		t.Error("no pause of 1,000 is shorter by chance")
	}
	if got := (retry.Backoff{First: time.Second}).Pause(9); got != time.Second {
		t.Errorf("a pause without Max is %s, want %s", got, time.Second)
	}
}

func TestBackoffWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		b := retry.Backoff{First: time.Second, Max: time.Minute}
		if err := b.Wait(t.Context(), 3); err != nil || time.Since(start) != 4*time.Second {
			t.Errorf("the third pause: %v after %s, want nil after 4s", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.Wait(ctx, 3); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a pause longer than its context's deadline: %v", err)
		}
	})
}
