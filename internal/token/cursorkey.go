package token

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
)

// CursorKey returns the key that encrypts cursors, of 32 bytes. It is derived from CursorSecret, or
// else from the secret of keys, or else from the first key of their file. So it is the same after a
// restart, and in all processes with the same options and keys. If there is none of these, the key
// is random and lasting is false: only this process can read its cursors.
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

// cursorKey derives the key from secret material.
func cursorKey(material []byte) []byte {
	key, err := hkdf.Key(sha256.New, material, nil, "forge: cursors", sha256.Size)
	if err != nil {
		panic("token: " + err.Error()) // HKDF supports this length
	}
	return key
}
