package token

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
)

// CursorKey returns 32 bytes that cursors are sealed with. They are the same in all processes with the same options and keys, and after a
// restart: made from CursorSecret, or else from the secret, or else from the first key of the file. Where there is none of these, lasting is
// false and they are this process's alone.
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
	_, _ = rand.Read(random) // it does not fail, and ends the process if it did
	return random, false
}

func cursorKey(material []byte) []byte {
	key, err := hkdf.Key(sha256.New, material, nil, "forge: cursors", sha256.Size)
	if err != nil {
		panic("token: " + err.Error()) // the length is one that HKDF has
	}
	return key
}
