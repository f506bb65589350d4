package token

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"slices"

	"github.com/MicahParks/jwkset"
)

// These are the algorithms of a provider's tokens. All of them are asymmetric, so that a public key
// can never be used as a secret. They must not be changed.
var (
	rsaAlgorithms      = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	providerAlgorithms = slices.Concat(rsaAlgorithms, []string{"ES256", "ES384", "ES512", "EdDSA"})
)

// parsePublic parses a provider's JSON Web Key Set. It returns the keys that can verify signatures,
// how many these are, and how many keys the set has. Keys for other purposes do not count as
// usable.
func parsePublic(text []byte) (keys *keySet, usable, all int, err error) {
	set, err := parseSet(text)
	if err != nil {
		return nil, 0, 0, err
	}
	keys = newKeySet()
	for _, text := range set {
		id, key, algorithms := parseProviderKey(text)
		if len(algorithms) > 0 {
			usable++
		}
		for _, algorithm := range algorithms {
			keys.add(keyName{id, algorithm}, key)
		}
	}
	return keys, usable, len(set), nil
}

// parseProviderKey returns a public key, its ID, and the algorithms that the key may be used with.
// The list of algorithms is empty if the key cannot verify signatures.
func parseProviderKey(text []byte) (id string, key any, algorithms []string) {
	var marshalled jwkset.JWKMarshal
	if json.Unmarshal(text, &marshalled) != nil {
		return "", nil, nil
	}
	if marshalled.USE != "" && marshalled.USE != jwkset.UseSig ||
		len(marshalled.KEYOPS) > 0 && !slices.Contains(marshalled.KEYOPS, jwkset.KeyOpsVerify) {
		return "", nil, nil
	}
	// Certificates beside the key are ignored: they are not needed, and some are not valid.
	marshalled.X5U, marshalled.X5C, marshalled.X5T, marshalled.X5TS256 = "", nil, "", ""
	parsed, err := jwkset.NewJWKFromMarshal(marshalled, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return "", nil, nil
	}
	algorithms = algorithmsOf(parsed.Key())
	if marshalled.ALG != "" {
		algorithms = slices.DeleteFunc(slices.Clone(algorithms), func(name string) bool { return name != string(marshalled.ALG) })
	}
	return marshalled.KID, parsed.Key(), algorithms
}

// These are the limits for the size of an RSA key, in bits. Smaller keys are not safe
// (https://www.rfc-editor.org/rfc/rfc7518#section-3.3). Larger keys take too long to verify with.
const (
	minRSA = 2048
	maxRSA = 8192
)

// algorithmsOf returns the algorithms that a public key may be used with, or nil if it is not
// allowed.
func algorithmsOf(key any) []string {
	switch key := key.(type) {
	case *rsa.PublicKey:
		if size := key.N.BitLen(); minRSA <= size && size <= maxRSA {
			return rsaAlgorithms
		}
	case *ecdsa.PublicKey:
		switch key.Curve.Params().BitSize {
		case 256:
			return []string{"ES256"}
		case 384:
			return []string{"ES384"}
		case 521:
			return []string{"ES512"}
		}
	case ed25519.PublicKey:
		return []string{"EdDSA"}
	}
	return nil
}
