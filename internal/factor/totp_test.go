package factor

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/uuid"
)

// TestCodeOf has the codes of RFC 6238, appendix B. Its codes have two digits more.
func TestCodeOf(t *testing.T) {
	t.Parallel()
	secret := []byte("12345678901234567890")
	for at, want := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		if got := codeOf(secret, at/period); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
}

// TestPeriodOf tries the codes of many periods at one time, with and without a last one.
func TestPeriodOf(t *testing.T) {
	t.Parallel()
	secret, now := []byte("12345678901234567890"), time.Unix(1234567890, 0)
	current := now.Unix() / period
	for later := int64(-5); later <= 5; later++ {
		for last := int64(-6); last <= 5; last++ {
			want := later >= -skew && later <= skew && later > last
			step, ok := periodOf(secret, codeOf(secret, current+later), now, current+last)
			if ok != want || ok && step != current+later {
				t.Errorf("a code of %d, the last one of %d: %d, %t", later, last, step-current, ok)
			}
		}
	}
	for _, code := range []string{"", "00592", "0059240", "００５９２４"} {
		if _, ok := periodOf(secret, code, now, -1); ok {
			t.Errorf("%q is taken", code)
		}
	}
}

// TestVault opens a secret with keys, of accounts and with changes with which it must not open.
func TestVault(t *testing.T) {
	t.Parallel()
	key := func(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }
	ada, secret := uuid.New(), []byte("a secret")
	v := newVault([][]byte{key(1), key(2)})
	sealed := v.seal(ada, secret)
	if bytes.Equal(sealed, v.seal(ada, secret)) || bytes.Contains(sealed, secret) {
		t.Error("it is not sealed with a random nonce")
	}
	if got, outdated, err := v.open(ada, sealed); err != nil || outdated || !bytes.Equal(got, secret) {
		t.Errorf("%q, %t, %v", got, outdated, err)
	}
	if got, outdated, err := newVault([][]byte{key(2), key(1)}).open(ada, sealed); err != nil || !outdated || !bytes.Equal(got, secret) {
		t.Errorf("with the key as the second one: %q, %t, %v", got, outdated, err)
	}
	if _, _, err := newVault([][]byte{key(2)}).open(ada, sealed); err == nil {
		t.Error("it opens with another key")
	}
	if _, _, err := v.open(uuid.New(), sealed); err == nil {
		t.Error("it opens for another account")
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, _, err := v.open(ada, changed); err == nil {
			t.Errorf("it opens with byte %d changed", i)
		}
		if _, _, err := v.open(ada, sealed[:i]); err == nil {
			t.Errorf("%d bytes of it open", i)
		}
	}
}
