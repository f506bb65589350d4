package session

import (
	"net/http"
	"testing"

	"forge/internal/clientip"
)

// TestAsk asks as often as a network may, and once more. Another network may still ask.
func TestAsk(t *testing.T) {
	t.Parallel()
	s := New(nil, nil, nil, nil, Lifetimes{}, nil, nil)
	ask := func(address string) error {
		return s.Ask(clientip.NewContext(t.Context(), &http.Request{RemoteAddr: address}), "something")
	}
	for i := range freeAsked {
		if err := ask("[2001:db8:0:" + string('a'+rune(i%6)) + "::1]:1"); err != nil {
			t.Fatalf("time %d: %v", i, err)
		}
	}
	if err := ask("[2001:db8::1]:1"); retryAfter(err) != 15 {
		t.Errorf("once more: %v, want RATE_LIMITED for 15 s", err)
	}
	if err := ask("192.0.2.1:1"); err != nil {
		t.Errorf("another network: %v", err)
	}
}
