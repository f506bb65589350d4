// Package password keeps passwords as argon2id hashes (RFC 9106), in the PHC string format: $argon2id$v=19$m=…,t=…,p=…$salt$hash.
package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// cost is what a guess takes.
type cost struct {
	memory  uint32 // KiB
	time    uint32
	threads uint8
}

// owasp is the cost of new hashes, the recommendation of OWASP's Password Storage Cheat Sheet.
var owasp = cost{memory: 19456, time: 2, threads: 1}

const (
	saltLen = 16
	keyLen  = 32
)

// slots bounds how many hashes are made at a time: each takes 19 MiB and all of a processor.
var slots = make(chan struct{}, 4)

// Hash returns the hash of password with a salt of its own. It fails if ctx ends before its turn comes.
func Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltLen)
	rand.Read(salt) // never fails
	key, err := derive(ctx, password, salt, owasp, keyLen)
	if err != nil {
		return "", err
	}
	return write(owasp, salt, key), nil
}

// Verify reports whether hash is one of password. It fails if hash is not one that Hash could have made, or if ctx ends before
// its turn comes.
func Verify(ctx context.Context, password, hash string) (bool, error) {
	c, salt, want, err := read(hash)
	if err != nil {
		return false, err
	}
	got, err := derive(ctx, password, salt, c, uint32(len(want)))
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

func derive(ctx context.Context, password string, salt []byte, c cost, length uint32) ([]byte, error) {
	select {
	case slots <- struct{}{}:
		defer func() { <-slots }()
	case <-ctx.Done():
		return nil, fmt.Errorf("wait to hash a password: %w", ctx.Err())
	}
	return argon2.IDKey([]byte(password), salt, c.time, c.memory, c.threads, length), nil
}

var encoding = base64.RawStdEncoding.Strict()

func write(c cost, salt, key []byte) string {
	return strings.Join([]string{"", "argon2id", version, c.String(), encoding.EncodeToString(salt), encoding.EncodeToString(key)}, "$")
}

var version = fmt.Sprintf("v=%d", argon2.Version)

func (c cost) String() string { return fmt.Sprintf("m=%d,t=%d,p=%d", c.memory, c.time, c.threads) }

// errFormat does not show the hash, since errors are logged.
var errFormat = errors.New("the stored password hash is not one of argon2id in the PHC string format")

func read(hash string) (c cost, salt, key []byte, err error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != version {
		return c, nil, nil, errFormat
	}
	_, err = fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.memory, &c.time, &c.threads)
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

// sane tells a cost that can be paid from one that argon2 refuses, or that would take the machine down.
func (c cost) sane() bool {
	return c.time >= 1 && c.time <= 100 && c.threads >= 1 && c.memory >= 8*uint32(c.threads) && c.memory <= 1<<20
}
