package webpage

import "testing"

func TestAcceptsGzip(t *testing.T) {
	tests := []struct {
		header string
		want   bool
	}{
		{"", false},
		{"br", false},
		{"gzip", true},
		{"br, GZIP;q=0.5", true},
		{"gzip;q=0, *", false},
		{"gzip; q=0.0", false},
		{"gzip;q=x", false},
		{"identity, *;q=0.1", true},
		{"*;q=0", false},
	}
	for _, tt := range tests {
		if got := acceptsGzip([]string{tt.header}); got != tt.want {
			t.Errorf("%q: %v, want %v", tt.header, got, tt.want)
		}
	}
}

// TestPlainOnce checks that a file is not decompressed again for each request that does not accept
// gzip.
func TestPlainOnce(t *testing.T) {
	f := MustJSON("text", "no-cache")
	if a, b := f.plain(), f.plain(); len(a) != f.size || &a[0] != &b[0] {
		t.Errorf("%d bytes, want %d, the same ones each time", len(a), f.size)
	}
}
