package pgwire

import "testing"

// TestCancelKey reads the key from the first messages of a server.
func TestCancelKey(t *testing.T) {
	const ok = "R\x00\x00\x00\x08\x00\x00\x00\x00" + "S\x00\x00\x00\x08a\x00b\x00"
	const key = "K\x00\x00\x00\x0c\x00\x00\x00\x01\x02\x03\x04\x05"
	for start, want := range map[string]string{
		ok + key + "Z\x00\x00\x00\x05I":     "\x00\x00\x00\x01\x02\x03\x04\x05",
		ok:                                  "",
		"":                                  "",
		ok + key[:7]:                        "",
		"S\x16\x03\x03\x00\x7a\x02\x00\x00": "", // TLS begins
		"K\x00\x00\x00\x03":                 "", // shorter than a message can be
	} {
		if got := string(cancelKey([]byte(start))); got != want {
			t.Errorf("cancelKey(%q) is %q, want %q", start, got, want)
		}
	}
}
