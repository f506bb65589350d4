package token

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
)

// CursorKey returns the key of 32 bytes that encrypts cursors. It derives the key from the first of
// these that is given: CursorSecret, the secret of keys, or the first key of the keys' file. The
// key is then the same after a restart, and in all processes with the same settings. If none of the
// three is given, the key is random and lasting is false: only this process can then read its
// cursors.
func (o Options) CursorKey(keys *Keys) (key []byte, lasting bool) {
	switch {
	case o.CursorSecret != "":
		return cursorKey([]byte(o.CursorSecret)), true
	case keys.secret != nil:
		return cursorKey(keys.secret.material), true
	case keys.first != nil:
		return cursorKey(keys.first.material), true
	}
	random := make([]byte, sha256.Size)
	_, _ = rand.Read(random) // it never returns an error
	return random, false
}

// cursorKey derives the key for cursors from a secret.
func cursorKey(material []byte) []byte {
	key, err := hkdf.Key(sha256.New, material, nil, "forge: cursors", sha256.Size)
	if err != nil {
		panic("token: " + err.Error()) // HKDF returns an error only for longer keys
	}
	return key
}
