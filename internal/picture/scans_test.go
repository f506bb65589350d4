package picture

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
)

// manyScans returns a progressive JPEG of side × side pixels whose few bytes go over all of its
// pixels so many times.
func manyScans(side uint16, scans int) []byte {
	high, low := byte(side>>8), byte(side)
	b := bytes.NewBuffer([]byte{0xFF, 0xD8, 0xFF, 0xC2, 0, 11, 8, high, low, high, low, 1, 1, 0x11, 0})
	// The only code is a bit, for up to 32767 blocks that are left as they are.
	b.Write([]byte{0xFF, 0xC4, 0, 20, 0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xE0})
	blocks := ((int(side) + 7) / 8) * ((int(side) + 7) / 8)
	var runs []byte
	bits := ""
	for range blocks/32767 + 1 {
		bits += "0" + strings.Repeat("1", 14)
	}
	for bits += "1111111"; len(bits) >= 8; bits = bits[8:] {
		of, _ := strconv.ParseUint(bits[:8], 2, 8)
		if runs = append(runs, byte(of)); of == 0xFF {
			runs = append(runs, 0)
		}
	}
	for range scans {
		b.Write([]byte{0xFF, 0xDA, 0, 8, 1, 1, 0, 1, 63, 0x10})
		b.Write(runs)
	}
	b.Write([]byte{0xFF, 0xD9})
	return b.Bytes()
}

// TestScans reads JPEGs that go over their pixels often.
func TestScans(t *testing.T) {
	t.Parallel()
	p := New(1_000_000)
	if _, err := p.Look(t.Context(), bytes.NewReader(manyScans(64, maxScans)), "image/jpeg"); err != nil {
		t.Errorf("as often as is allowed: %v", err)
	}
	many := manyScans(64, maxScans+1)
	if _, err := p.Look(t.Context(), bytes.NewReader(many), "image/jpeg"); !errors.Is(err, ErrUnreadable) {
		t.Errorf("once more: %v", err)
	}
	if err := p.Resize(t.Context(), io.Discard, bytes.NewReader(many), "image/jpeg", Size{Width: 5}, "image/png"); !errors.Is(err, ErrUnreadable) {
		t.Errorf("once more, in another size: %v", err)
	}
}
