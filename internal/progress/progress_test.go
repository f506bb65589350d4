package progress

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestLog has work that is quick, of which nothing is told, and work that takes long.
func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		ctx := NewContext(t.Context(), new(bytes.Buffer), slog.New(slog.NewTextHandler(&log, nil)))
		_, end := Begin(ctx, "migrating")
		time.Sleep(patience - time.Millisecond)
		end()
		if log.Len() > 0 {
			t.Errorf("quick work is told: %s", &log)
		}
		work, end := Begin(ctx, "migrating")
		At(work, "file %d of %d", 2, 3)
		time.Sleep(patience + logEvery + time.Millisecond)
		end()
		end()
		if n := strings.Count(log.String(), `msg="still migrating" at="file 2 of 3" seconds=`); n != 2 {
			t.Errorf("it is told %d times, want 2: %s", n, &log)
		}
	})
}

// TestLine has a terminal: the line is written over, fits, and is gone in the end.
func TestLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		ctx := context.WithValue(t.Context(), key{}, &reporter{out: &out})
		work, end := Begin(ctx, "migrating")
		At(work, "%s", strings.Repeat("é", 500))
		time.Sleep(patience + lineEvery + time.Millisecond)
		end()
		lines := strings.Split(out.String(), eraseLine)
		if len(lines) != 4 || lines[3] != "" || !strings.HasPrefix(lines[2], "migrating: éé") || !strings.HasSuffix(lines[2], "… (3 s)") || len([]rune(lines[2])) > 100 {
			t.Errorf("%q", lines)
		}
	})
}

// TestWithout has a context that nobody waits for.
func TestWithout(t *testing.T) {
	ctx, end := Begin(t.Context(), "migrating")
	At(ctx, "a file")
	end()
}
