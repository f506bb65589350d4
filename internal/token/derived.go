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
		return derive([]byte(o.CursorSecret), cursors), true
	case keys.secret != nil:
		return derive(keys.secret.material, cursors), true
	case keys.first != nil:
		return derive(keys.first.material, cursors), true
	}
	random := make([]byte, sha256.Size)
	_, _ = rand.Read(random) // it never returns an error
	return random, false
}

// FactorKeys returns the keys of 32 bytes that seal the secrets of second factors. The first one
// seals, and all of them open. They are derived from FactorSecrets, the keys of the keys' file and
// the secret of keys, in this order. There is none only if there is none of all these.
func (o Options) FactorKeys(keys *Keys) (sealing [][]byte) {
	for _, secret := range o.FactorSecrets {
		sealing = append(sealing, derive([]byte(secret), factors))
	}
	for _, key := range keys.own {
		sealing = append(sealing, derive(key.material, factors))
	}
	return sealing
}

// FileKey returns the key of 32 bytes that addresses of files are signed with. It is derived from
// the secret of keys, or else from the first key of the keys' file. It returns nil if there is
// neither.
func (o Options) FileKey(keys *Keys) []byte {
	switch {
	case keys.secret != nil:
		return derive(keys.secret.material, files)
	case keys.first != nil:
		return derive(keys.first.material, files)
	}
	return nil
}

// These are the purposes that keys are derived for.
const (
	cursors = "forge: cursors"
	factors = "forge: secrets of second factors"
	files   = "forge: addresses of files"
)

// derive derives a key for a purpose from a secret.
func derive(material []byte, purpose string) []byte {
	key, err := hkdf.Key(sha256.New, material, nil, purpose, sha256.Size)
	if err != nil {
		panic("token: " + err.Error()) // HKDF returns an error only for longer keys
	}
	return key
}
