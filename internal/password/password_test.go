package password

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestHashVerifies(t *testing.T) {
	t.Parallel()
	h := New(Cost{}, 4, 0)
	for _, password := range []string{"correct horse", "  blanks count  ", "пароль-密码-🔑", strings.Repeat("x", 128)} {
		hash, err := h.Hash(t.Context(), password)
		if err != nil {
			t.Fatal(err)
		}
		if want := "$argon2id$v=19$m=19456,t=2,p=1$"; !strings.HasPrefix(hash, want) {
			t.Errorf("Hash(%q) = %s, want it to begin with %s", password, hash, want)
		}
		for _, tt := range []struct {
			guess string
			want  bool
		}{
			{password, true},
			{password + " ", false},
			{strings.ToUpper(password), false},
			{"", false},
		} {
			got, err := h.Verify(t.Context(), tt.guess, hash)
			if err != nil || got != tt.want {
				t.Errorf("Verify(%q, hash of %q) = %v, %v, want %v", tt.guess, password, got, err, tt.want)
			}
		}
	}
}

func TestHashesAreSalted(t *testing.T) {
	t.Parallel()
	h := New(Cost{}, 4, 0)
	one, err := h.Hash(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	two, err := h.Hash(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if one == two {
		t.Errorf("the same password has the same hash twice: %s", one)
	}
}

// reference is the output of the reference implementation (github.com/P-H-C/phc-winner-argon2):
//
//	echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1
const reference = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"

func TestVerifyForeignHash(t *testing.T) {
	t.Parallel()
	h := New(Cost{}, 4, 0)
	if ok, err := h.Verify(t.Context(), "password", reference); !ok || err != nil {
		t.Errorf("Verify(the reference's hash) = %v, %v, want true", ok, err)
	}
}

func TestVerifyRefusesInvalidHash(t *testing.T) {
	t.Parallel()
	h := New(Cost{}, 4, 0)
	const salt, key = "c29tZXNhbHQ", "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	for name, hash := range map[string]string{
		"nothing":             "",
		"plain text":          "password",
		"another kind":        "$argon2i$v=19$m=65536,t=2,p=1$" + salt + "$" + key,
		"another version":     "$argon2id$v=16$m=65536,t=2,p=1$" + salt + "$" + key,
		"no rounds":           "$argon2id$v=19$m=65536,t=0,p=1$" + salt + "$" + key,
		"no threads":          "$argon2id$v=19$m=65536,t=2,p=0$" + salt + "$" + key,
		"all of the memory":   "$argon2id$v=19$m=4294967295,t=2,p=1$" + salt + "$" + key,
		"an hour":             "$argon2id$v=19$m=65536,t=100000,p=1$" + salt + "$" + key,
		"more after the cost": "$argon2id$v=19$m=65536,t=2,p=1,x=1$" + salt + "$" + key,
		"bad salt":            "$argon2id$v=19$m=65536,t=2,p=1$!$" + key,
		"no key":              "$argon2id$v=19$m=65536,t=2,p=1$" + salt + "$",
		"more after the key":  "$argon2id$v=19$m=65536,t=2,p=1$" + salt + "$" + key + "$",
	} {
		if ok, err := h.Verify(t.Context(), "password", hash); ok || err == nil {
			t.Errorf("%s: Verify = %v, %v, want an error", name, ok, err)
		}
	}
}

func TestHashWaitsForItsTurn(t *testing.T) {
	t.Parallel()
	h := New(Cost{Memory: 64, Time: 1, Threads: 1}, 2, 1)
	for range cap(h.slots) {
		h.slots <- struct{}{}
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if hash, err := h.Hash(over, "correct horse"); !errors.Is(err, context.Canceled) {
		t.Errorf("Hash without a slot, with a context that is over = %q, %v, want context.Canceled", hash, err)
	}
	type result struct {
		hash string
		err  error
	}
	waited := make(chan result, 1)
	go func() {
		hash, err := h.Hash(t.Context(), "correct horse")
		waited <- result{hash, err}
	}()
	for h.waiting.Load() == 0 {
		runtime.Gosched()
	}
	if hash, err := h.Hash(t.Context(), "correct horse"); !errors.Is(err, errBusy) {
		t.Errorf("Hash while as many wait as may = %q, %v, want %v", hash, err, errBusy)
	}
	for range cap(h.slots) {
		<-h.slots
	}
	if got := <-waited; got.hash == "" || got.err != nil {
		t.Errorf("Hash once there is a slot = %q, %v, want a hash", got.hash, got.err)
	}
	if n := h.waiting.Load(); n != 0 {
		t.Errorf("%d still wait", n)
	}
}

func TestStale(t *testing.T) {
	t.Parallel()
	h := New(Cost{Memory: 64, Time: 1, Threads: 1}, 1, 0)
	hash, err := h.Hash(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if h.Stale(hash) {
		t.Error("a new hash is stale")
	}
	if other := New(Cost{Memory: 64, Time: 2, Threads: 1}, 1, 0); !other.Stale(hash) {
		t.Error("a hash of another cost is not stale")
	}
}

func TestCommon(t *testing.T) {
	t.Parallel()
	for password, want := range map[string]bool{
		"password123": true, "qwerty123": true, "iloveyou1": true, "letmein1": true, "welcome1": true, "admin123": true,
		"football1": true, "passw0rd": true, "password1": true, "123456789": true, "1234567890": true, "qwertyuiop": true,
		"iloveyou": true, "princess": true, "sunshine": true, "trustno1": true, "baseball": true, "starwars": true,
		"charlie1": true, "monkey123": true, "dragon123": true, "1q2w3e4r": true, "1qaz2wsx": true, "p@ssw0rd": true,
		"p@ssword": true, "password12": true, "master123": true, "whatever": true, "zaq12wsx": true, "asdfghjkl": true,
		"00000000": true, "11111111": true, "87654321": true, "computer": true, "administrator": true, "superman1": true,
		"welcome123": true, "hello123": true, "test1234": true, "shadow123": true, "azerty123": true, "abcd1234": true,
		"ＰＡＳＳＷＯＲＤ１２３": true, "password\n123456789": false, "\n": false, "password\n": false,
		"password": true, "PassWord": true, "12345678": true, "hugohugo": true, "superman": true,
		"correct horse": false, "": false, "password ": false, "passwor": false,
	} {
		if got := Common(password); got != want {
			t.Errorf("Common(%q) = %t, want %t", password, got, want)
		}
	}
	lines := common()
	for _, password := range lines {
		if n := utf8.RuneCountInString(password); n < Least || n > Most || !Common(password) {
			t.Fatalf("%q has %d characters, and is found: %t", password, n, Common(password))
		}
	}
	for _, page := range []string{"common/README.md", "../../docs/security.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if n := fmt.Sprintf("%d,%03d", len(lines)/1000, len(lines)%1000); !strings.Contains(string(text), n) {
			t.Errorf("%s does not say that there are %s common passwords", page, n)
		}
	}
}
