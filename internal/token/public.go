package token

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"slices"

	"github.com/MicahParks/jwkset"
)

// The algorithms of a provider's tokens, by the kind of key: none of them takes a public key for a secret.
var (
	rsaAlgorithms      = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	providerAlgorithms = slices.Concat(rsaAlgorithms, []string{"ES256", "ES384", "ES512", "EdDSA"})
)

// parsePublic returns the keys of a JSON Web Key Set that signatures can be verified with, how many these are, and how many there are in all:
// providers have keys for other ends in it, too.
func parsePublic(text []byte) (keys *keySet, usable, all int, err error) {
	set, err := parseSet(text)
	if err != nil {
		return nil, 0, 0, err
	}
	keys = newKeySet()
	for _, text := range set {
		id, key, algorithms := parseTheirs(text)
		if len(algorithms) > 0 {
			usable++
		}
		for _, algorithm := range algorithms {
			keys.add(keyName{id, algorithm}, key)
		}
	}
	return keys, usable, len(set), nil
}

// parseTheirs returns a public key, its ID, and the algorithms that it may be used with: none if it is of no use.
func parseTheirs(text []byte) (id string, key any, algorithms []string) {
	var written jwkset.JWKMarshal
	if json.Unmarshal(text, &written) != nil {
		return "", nil, nil
	}
	if written.USE != "" && written.USE != jwkset.UseSig || len(written.KEYOPS) > 0 && !slices.Contains(written.KEYOPS, jwkset.KeyOpsVerify) {
		return "", nil, nil
	}
	// The key itself is what counts. A certificate beside it is of no interest, and not always valid.
	written.X5U, written.X5C, written.X5T, written.X5TS256 = "", nil, "", ""
	read, err := jwkset.NewJWKFromMarshal(written, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return "", nil, nil
	}
	algorithms = algorithmsOf(read.Key())
	if written.ALG != "" {
		algorithms = slices.DeleteFunc(slices.Clone(algorithms), func(name string) bool { return name != string(written.ALG) })
	}
	return written.KID, read.Key(), algorithms
}

// The size of an RSA key, in bits: less is not safe (https://www.rfc-editor.org/rfc/rfc7518#section-3.3), and more takes long.
const (
	minRSA = 2048
	maxRSA = 8192
)

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
