// Package password hashes passwords with argon2id (RFC 9106). A hash is a text in the PHC string
// format: $argon2id$v=19$m=…,t=…,p=…$salt$hash.
package password

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"

	"golang.org/x/crypto/argon2"

	"forge/internal/apperr"
)

// Cost holds the parameters of argon2id, which decide how costly each guess is for an attacker.
type Cost struct {
	Memory  uint32 // KiB
	Time    uint32 // passes over the memory
	Threads uint8
}

// Recommended is the cost that OWASP's Password Storage Cheat Sheet recommends.
var Recommended = Cost{Memory: 19456, Time: 2, Threads: 1}

const (
	saltLen = 16
	keyLen  = 32
)

// Hasher hashes passwords. It makes only a few hashes at a time, because each one takes much memory
// and a whole processor.
type Hasher struct {
	cost    Cost
	slots   chan struct{} // has an entry for each running hash
	most    int64         // the number of callers that may wait; 0 for no limit
	waiting atomic.Int64
	made    atomic.Int64
}

// New returns a hasher. The zero cost stands for Recommended. atOnce is the largest number of
// hashes that run at the same time; 0 stands for AtOnce(). waiting is the largest number of callers
// that wait for their turn; 0 stands for no limit.
func New(cost Cost, atOnce, waiting int) *Hasher {
	if atOnce == 0 {
		atOnce = AtOnce()
	}
	return &Hasher{cost: cmp.Or(cost, Recommended), slots: make(chan struct{}, atOnce), most: int64(waiting)}
}

// AtOnce returns half the number of processors, but at least 1. The other half stays free for
// requests that do not hash a password.
func AtOnce() int { return max(1, runtime.GOMAXPROCS(0)/2) }

// Made returns how many hashes Hash, Verify, Pretend and Derive have computed.
func (h *Hasher) Made() int64 { return h.made.Load() }

// Hash returns a hash of password with a new salt. It waits until fewer hashes run. If too many
// callers wait already, it returns UNAVAILABLE at once. It returns another error if ctx ends while
// it waits.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltLen)
	rand.Read(salt) // it never returns an error
	key, err := h.derive(ctx, password, salt, h.cost, keyLen)
	if err != nil {
		return "", err
	}
	return write(h.cost, salt, key), nil
}

// Verify reports whether hash is a hash of password. It waits and fails like Hash. It also returns
// an error if hash is not in the format of this package.
func (h *Hasher) Verify(ctx context.Context, password, hash string) (bool, error) {
	c, salt, want, err := read(hash)
	if err != nil {
		return false, err
	}
	got, err := h.derive(ctx, password, salt, c, uint32(len(want)))
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

// Pretend takes as long as Verify. It is called if there is no hash to compare with. The time of
// the answer thus does not reveal that there is none.
func (h *Hasher) Pretend(ctx context.Context, password string) error {
	_, err := h.derive(ctx, password, make([]byte, saltLen), h.cost, keyLen)
	return err
}

// Derive returns a key of 32 bytes that is made of a text and a salt, as slowly as Hash makes a
// hash, and the same each time while the cost is the same. It waits and fails like Hash.
func (h *Hasher) Derive(ctx context.Context, text string, salt []byte) ([]byte, error) {
	return h.derive(ctx, text, salt, h.cost, keyLen)
}

// Stale reports whether a hash must be made again: its cost is not that of new hashes, or it cannot
// be read.
func (h *Hasher) Stale(hash string) bool {
	c, _, _, err := read(hash)
	return err != nil || c != h.cost
}

var errBusy = &apperr.Error{Code: apperr.CodeUnavailable, Message: "too many passwords are being checked at once; try again"}

func (h *Hasher) derive(ctx context.Context, password string, salt []byte, c Cost, length uint32) ([]byte, error) {
	if err := h.acquire(ctx); err != nil {
		return nil, err
	}
	defer func() { <-h.slots }()
	h.made.Add(1)
	return argon2.IDKey([]byte(password), salt, c.Time, c.Memory, c.Threads, length), nil
}

// acquire waits for a slot. The caller gives the slot back by receiving from h.slots.
func (h *Hasher) acquire(ctx context.Context) error {
	select {
	case h.slots <- struct{}{}:
		return nil
	default:
	}
	defer h.waiting.Add(-1)
	if n := h.waiting.Add(1); h.most > 0 && n > h.most {
		return errBusy
	}
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait to hash a password: %w", ctx.Err())
	}
}

var encoding = base64.RawStdEncoding.Strict()

func write(c Cost, salt, key []byte) string {
	return strings.Join([]string{"", "argon2id", version, c.String(),
		encoding.EncodeToString(salt), encoding.EncodeToString(key)}, "$")
}

var version = fmt.Sprintf("v=%d", argon2.Version)

func (c Cost) String() string { return fmt.Sprintf("m=%d,t=%d,p=%d", c.Memory, c.Time, c.Threads) }

// errFormat does not contain the hash, because errors are logged.
var errFormat = errors.New("the stored password hash is not one of argon2id in the PHC string format")

func read(hash string) (c Cost, salt, key []byte, err error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != version {
		return c, nil, nil, errFormat
	}
	_, err = fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.Memory, &c.Time, &c.Threads)
	if err != nil || c.String() != parts[3] || !c.sane() {
		return c, nil, nil, errFormat
	}
	salt, err = encoding.DecodeString(parts[4])
	if err != nil || len(salt) < 8 {
		return c, nil, nil, errFormat
	}
	key, err = encoding.DecodeString(parts[5])
	if err != nil || len(key) < 16 {
		return c, nil, nil, errFormat
	}
	return c, salt, key, nil
}

// sane reports whether argon2 accepts the cost, and whether a machine can be expected to bear it.
func (c Cost) sane() bool {
	return c.Time >= 1 && c.Time <= 100 && c.Threads >= 1 && c.Memory >= 8*uint32(c.Threads) && c.Memory <= 1<<20
}
