// Package cursorcipher encrypts texts that clients keep and send back, such as cursors, so that
// they can neither read nor change them.
package cursorcipher

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"strings"
	"sync"
)

// KeySize is how long a key is, in bytes.
const KeySize = 32

// public is the key where nothing has to be hidden. It is a constant, so that texts stay valid over
// a restart.
var public = sha256.Sum256([]byte("forge: nothing is hidden"))

// Cipher encrypts under one key. The same plain text always has the same encrypted one, so that
// answers can be compared and cached. It is safe for concurrent use.
//
// An encrypted text is a nonce of 12 bytes and the output of AES-256-GCM, which is 16 bytes longer
// than the plain text; all in base64 for URLs. The nonce is the beginning of an HMAC-SHA256 of the
// plain text, under a key of its own. It differs wherever plain texts differ, as GCM requires, and
// reveals only which texts are the same. AES-SIV (RFC 5297) works the same way. It is not used
// because the maintained libraries take 1.4 µs and 7 allocations for a cursor; this takes a third
// of the time and no allocation.
type Cipher struct {
	aead  cipher.AEAD
	nonce []byte // the key of the HMAC
	pool  sync.Pool
}

// scratch is the memory that encryption works in.
type scratch struct {
	mac              hash.Hash
	plain, encrypted []byte
	sum              [sha256.Size]byte
}

// ErrForeign says that a text was not encrypted with the key, or not for the purpose, or was
// changed.
var ErrForeign = errors.New("not encrypted here")

// New returns a cipher for a key of KeySize bytes. If the key is empty, a public one is used, and
// everybody can decrypt the texts. New panics if the key has any other length.
func New(key []byte) *Cipher {
	switch len(key) {
	case 0:
		key = public[:]
	case KeySize:
	default:
		panic(fmt.Sprintf("cursorcipher: a key of %d bytes, want %d", len(key), KeySize))
	}
	block, err := aes.NewCipher(derive(key, "encryption"))
	if err != nil {
		panic(err) // the key has 32 bytes
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has blocks of 16 bytes
	}
	c := &Cipher{aead: aead, nonce: derive(key, "nonce")}
	c.pool.New = func() any { return &scratch{mac: hmac.New(sha256.New, c.nonce)} }
	return c
}

func derive(key []byte, purpose string) []byte {
	derived, err := hkdf.Key(sha256.New, key, nil, "forge seal "+purpose, KeySize)
	if err != nil {
		panic(err) // 32 bytes can be had
	}
	return derived
}

// Append appends the encrypted form of plain. Only Open with the same purpose decrypts it.
func (c *Cipher) Append(b []byte, purpose uint32, plain []byte) []byte {
	w := c.pool.Get().(*scratch)
	defer c.pool.Put(w)
	w.plain = append(binary.BigEndian.AppendUint32(w.plain[:0], purpose), plain...)
	w.mac.Reset()
	_, _ = w.mac.Write(w.plain)
	nonce := w.mac.Sum(w.sum[:0])[:c.aead.NonceSize()]
	w.encrypted = c.aead.Seal(append(w.encrypted[:0], nonce...), nonce, w.plain[4:], w.plain[:4])
	return base64.RawURLEncoding.AppendEncode(b, w.encrypted)
}

// Open returns the plain text of an encrypted one, or ErrForeign.
func (c *Cipher) Open(text string, purpose uint32) ([]byte, error) {
	encrypted, err := base64.RawURLEncoding.Strict().DecodeString(text)
	n := c.aead.NonceSize()
	if err != nil || len(encrypted) < n || strings.ContainsAny(text, "\r\n") { // base64 ignores those
		return nil, ErrForeign
	}
	plain, err := c.aead.Open(encrypted[n:n], encrypted[:n], encrypted[n:], binary.BigEndian.AppendUint32(nil, purpose))
	if err != nil {
		return nil, ErrForeign
	}
	return plain, nil
}
