package token

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
)

// ownAlgorithms are the algorithms of Forge's own tokens. They must not be changed.
var ownAlgorithms = []string{jwt.SigningMethodHS256.Alg(), jwt.SigningMethodEdDSA.Alg()}

// Keys are Forge's own keys. The first one signs new tokens, and all of them verify tokens. So the
// operator can put a new key first, and keep the old one until its tokens have expired.
type Keys struct {
	first  *ownKey // nil if there are no keys
	secret *ownKey // the key of AUTH_SECRET, or nil
	all    *keySet
	own    []*ownKey // all of them, the first one first
}

// ownKey is one of Forge's own keys.
type ownKey struct {
	id           string
	method       jwt.SigningMethod
	sign, verify any
	material     []byte // the secret bytes of the key
}

// ReadKeys returns the keys in the JSON Web Key Set at path, and a key that is made from secret.
// Either argument may be "", and then adds no key. ReadKeys returns an error if the file is not
// valid. The error shows nothing of the file's content.
func ReadKeys(secret, path string) (*Keys, error) {
	keys := &Keys{all: newKeySet()}
	if path != "" {
		found, err := readKeySet(path)
		if err != nil {
			return nil, err
		}
		for _, key := range found {
			if keys.all.has(key.id, ownAlgorithms) {
				return nil, fmt.Errorf("two keys have the same kid, and each needs its own")
			}
			keys.add(key)
		}
	}
	if secret == "" {
		return keys, nil
	}
	keys.secret = secretKey([]byte(secret))
	if keys.all.has(keys.secret.id, ownAlgorithms) {
		return nil, errors.New("a key has the kid that belongs to AUTH_SECRET")
	}
	keys.add(keys.secret)
	return keys, nil
}

// Len returns how many keys there are.
func (k *Keys) Len() int { return len(k.own) }

func (k *Keys) add(key *ownKey) {
	if k.first == nil {
		k.first = key
	}
	k.own = append(k.own, key)
	k.all.add(keyName{key.id, key.method.Alg()}, key.verify)
}

// secretKey returns the key for a secret. The ID of the key is derived from the secret, but does
// not reveal it.
func secretKey(secret []byte) *ownKey {
	sum := sha256.Sum256(append([]byte("forge: the ID of a secret\x00"), secret...))
	return hmacKey("secret-"+base64.RawURLEncoding.EncodeToString(sum[:6]), secret)
}

func hmacKey(id string, secret []byte) *ownKey {
	return &ownKey{id: id, method: jwt.SigningMethodHS256, sign: secret, verify: secret, material: secret}
}

// These are the limits of a key set.
const (
	maxSet  = 1 << 20 // bytes
	maxKeys = 1000
	maxID   = 255 // bytes of a kid
)

// readKeySet returns the private keys of the key set in a file.
func readKeySet(path string) ([]*ownKey, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, errors.Unwrap(err) // without the path, which the caller knows
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxSet+1))
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	set, err := parseSet(text)
	if err != nil {
		return nil, err
	}
	if len(set) == 0 {
		return nil, errors.New("there is no key in it")
	}
	keys := make([]*ownKey, len(set))
	for i, text := range set {
		if keys[i], err = parseOwn(text); err != nil {
			return nil, fmt.Errorf("key %d of it: %w", i+1, err)
		}
	}
	return keys, nil
}

var errNoSet = errors.New(`it is not a JSON Web Key Set, {"keys": [...]}`)

// parseSet parses a JSON Web Key Set, and returns its keys as JSON.
func parseSet(text []byte) ([]json.RawMessage, error) {
	var set struct {
		Keys *[]json.RawMessage `json:"keys"`
	}
	switch err := json.Unmarshal(text, &set); {
	case len(text) > maxSet:
		return nil, fmt.Errorf("it has more than %d bytes", maxSet)
	case err != nil || set.Keys == nil:
		return nil, errNoSet
	case len(*set.Keys) > maxKeys:
		return nil, fmt.Errorf("it has more than %d keys", maxKeys)
	}
	return *set.Keys, nil
}

// parseOwn parses a private key. It returns an error if Forge cannot sign and verify with the key.
func parseOwn(text []byte) (*ownKey, error) {
	var marshalled jwkset.JWKMarshal
	if err := json.Unmarshal(text, &marshalled); err != nil {
		return nil, errors.New("it is not a JSON Web Key")
	}
	if marshalled.KID == "" || len(marshalled.KID) > maxID {
		return nil, fmt.Errorf("it needs a kid of 1 to %d bytes", maxID)
	}
	if marshalled.USE != "" && marshalled.USE != jwkset.UseSig {
		return nil, errors.New("its use is not sig")
	}
	parsed, err := jwkset.NewJWKFromMarshal(marshalled, jwkset.JWKMarshalOptions{Private: true}, jwkset.JWKValidateOptions{})
	if err != nil {
		return nil, errors.New("it is not valid; allowed are oct keys and Ed25519 keys (OKP), with their private parts")
	}
	var key *ownKey
	switch private := parsed.Key().(type) {
	case []byte:
		if len(private) < MinSecret {
			return nil, fmt.Errorf("it has %d bytes, and HS256 needs %d at least", len(private), MinSecret)
		}
		key = hmacKey(marshalled.KID, private)
	case ed25519.PrivateKey:
		if !bytes.Equal(ed25519.NewKeyFromSeed(private.Seed()), private) {
			return nil, errors.New("its x does not belong to its d")
		}
		key = &ownKey{marshalled.KID, jwt.SigningMethodEdDSA, private, private.Public(), private.Seed()}
	default:
		return nil, errors.New("allowed are oct keys and Ed25519 keys (OKP), with their private parts")
	}
	if marshalled.ALG != "" && string(marshalled.ALG) != key.method.Alg() {
		return nil, fmt.Errorf("its alg is not %s", key.method.Alg())
	}
	return key, nil
}
