package cursorcipher

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"testing"
)

func TestCipher(t *testing.T) {
	t.Parallel()
	own, other := New(bytes.Repeat([]byte{1}, KeySize)), New(bytes.Repeat([]byte{2}, KeySize))
	again, everyone := New(bytes.Repeat([]byte{1}, KeySize)), New(nil)
	for _, plain := range []string{"", "a", "ada@example.com", strings.Repeat("x", 1000)} {
		text := string(own.Append([]byte("before "), 7, []byte(plain)))
		text, appended := strings.CutPrefix(text, "before ")
		if got, err := own.Open(text, 7); err != nil || string(got) != plain || !appended {
			t.Errorf("%.20q is encrypted as %.80s and opens as %.20q, %v", plain, text, got, err)
		}
		if same := string(again.Append(nil, 7, []byte(plain))); same != text {
			t.Errorf("%.20q is encrypted as %.80s, and then as %.80s", plain, text, same)
		}
		raw, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil || len(raw) != len(plain)+28 || len(plain) > 3 && bytes.Contains(raw, []byte(plain)) {
			t.Errorf("%.20q is encrypted as %.80q, %v", plain, raw, err)
		}
		for _, s := range []*Cipher{other, everyone} {
			if _, err := s.Open(text, 7); !errors.Is(err, ErrForeign) {
				t.Errorf("another key opens %.20q: %v", plain, err)
			}
			if string(s.Append(nil, 7, []byte(plain))) == text {
				t.Errorf("two keys encrypt %.20q alike", plain)
			}
		}
		if _, err := own.Open(text, 8); !errors.Is(err, ErrForeign) {
			t.Errorf("%.20q opens for another purpose: %v", plain, err)
		}
		if string(own.Append(nil, 8, []byte(plain)))[:16] == text[:16] {
			t.Errorf("%.20q has one nonce for two purposes", plain)
		}
		for i := range raw {
			changed := bytes.Clone(raw)
			changed[i] ^= 1 << (i % 8)
			for _, sent := range [][]byte{changed, raw[:i], append(bytes.Clone(raw), changed[:i]...)} {
				if bytes.Equal(sent, raw) {
					continue
				}
				if _, err := own.Open(base64.RawURLEncoding.EncodeToString(sent), 7); !errors.Is(err, ErrForeign) {
					t.Fatalf("%.20q opens when byte %d is changed: %v", plain, i, err)
				}
			}
		}
		for _, sent := range []string{text + "\n", text + "=", text[:1] + "\r" + text[1:], "!" + text, ""} {
			if _, err := own.Open(sent, 7); !errors.Is(err, ErrForeign) {
				t.Errorf("%q opens", sent)
			}
		}
	}
}

// TestCipherConcurrently encrypts and decrypts from many goroutines.
func TestCipherConcurrently(t *testing.T) {
	t.Parallel()
	s := New(nil)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			plain := bytes.Repeat([]byte{byte(i)}, 10+i)
			want := string(s.Append(nil, uint32(i), plain))
			for range 500 {
				text := string(s.Append(nil, uint32(i), plain))
				if got, err := s.Open(text, uint32(i)); err != nil || text != want || !bytes.Equal(got, plain) {
					t.Errorf("%v is encrypted as %s and opens as %v, %v", plain, text, got, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestNewKeySize(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 16, 31, 33} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a key of %d bytes is accepted", n)
				}
			}()
			New(make([]byte, n))
		}()
	}
}
