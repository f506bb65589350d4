package bufpool

import "testing"

func TestBytes(t *testing.T) {
	for _, n := range []int{0, 1, least - 1, least, least + 1, most, most + 1} {
		Done(append(Bytes(n), 'x'))
		for range 3 {
			b := Bytes(n)
			if len(b) != 0 || cap(b) < n {
				t.Errorf("asked for %d: %d bytes and room for %d", n, len(b), cap(b))
			}
			Done(b)
		}
	}
}

func TestDoneKeeps(t *testing.T) {
	for n, want := range map[int]bool{least - 1: false, least: true, most: true, most + 1: false} {
		b := make([]byte, n)
		kept := testing.AllocsPerRun(100, func() { Done(b) }) > 0 // to keep a buffer allocates
		if kept != want {
			t.Errorf("%d bytes: kept is %t, want %t", n, kept, want)
		}
	}
}
