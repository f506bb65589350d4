package stream

import (
	"slices"
	"testing"
)

// TestUnsent checks that answers count once, and that the streams of the oldest are ended when too
// much waits.
func TestUnsent(t *testing.T) {
	t.Parallel()
	u := &unsent{limit: 100}
	var ended []string
	send := func(a *Answer, name string) func() { return u.add(a, func() { ended = append(ended, name) }) }
	shared, own, large := &Answer{Body: make([]byte, 60)}, &Answer{Body: make([]byte, 30)}, &Answer{Body: make([]byte, 50)}
	first, second := send(shared, "first"), send(shared, "second")
	third := send(own, "third")
	if ended != nil || u.bytes != 90 {
		t.Fatalf("with 90 bytes, ended %v, and counted %d", ended, u.bytes)
	}
	fourth := send(large, "fourth")
	slices.Sort(ended)
	if !slices.Equal(ended, []string{"first", "second"}) {
		t.Fatalf("with too much, ended %v", ended)
	}
	first()
	if u.bytes != 140 || u.aborted != 60 {
		t.Errorf("while one stream still holds the answer, %d bytes are counted, %d of them ended", u.bytes, u.aborted)
	}
	second()
	third()
	fourth()
	if u.bytes != 0 || u.aborted != 0 || len(u.answers) != 0 || u.queue.Len() != 0 {
		t.Errorf("after all was sent, it is %+v", u)
	}
	huge := &Answer{Body: make([]byte, 1000)}
	if send(huge, "huge")(); slices.Contains(ended, "huge") {
		t.Error("an answer that waits alone was ended")
	}
}
