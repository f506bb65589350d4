package file

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
)

// purpose says what an address is for. Each purpose has a key of its own, so that an address is
// good for nothing else.
type purpose string

const (
	reading   purpose = "read"
	uploading purpose = "upload"
)

// claims are what an address says of a file. They are signed, so that none can be changed.
type claims struct {
	ID      uuid.UUID `json:"i"`
	Expires int64     `json:"e"` // Unix time in seconds
	Name    string    `json:"n,omitempty"`
	Type    string    `json:"t,omitempty"`
	Size    int64     `json:"s,omitempty"` // of an upload
	Width   int       `json:"w,omitempty"`
	Height  int       `json:"h,omitempty"`
	Cover   bool      `json:"c,omitempty"`
	Format  Format    `json:"f,omitempty"`
}

func (c *claims) expires() time.Time { return time.Unix(c.Expires, 0) }

// These errors refuse an address.
var (
	errForged  = errors.New("this address is not one of this server's, or was changed")
	errExpired = errors.New("this address is no longer good")
)

// maxToken is how long the signed part of an address may be. Names of MaxName bytes fit.
const maxToken = 4096

// signer signs the addresses of one purpose.
type signer struct{ key []byte }

// newSigner derives the key of a purpose.
func newSigner(key []byte, p purpose) *signer {
	derived, err := hkdf.Key(sha256.New, key, nil, "forge files "+string(p), sha256.Size)
	if err != nil {
		panic("file: " + err.Error()) // the length is right
	}
	return &signer{derived}
}

func (s *signer) mac(payload string) []byte {
	h := hmac.New(sha256.New, s.key)
	h.Write([]byte(payload))
	return h.Sum(nil)
}

// sign returns the part of an address that has the claims and their signature.
func (s *signer) sign(c *claims) string {
	text, err := json.Marshal(c)
	if err != nil {
		panic("file: " + err.Error()) // it has texts and numbers only
	}
	payload := base64.RawURLEncoding.EncodeToString(text)
	return payload + "." + base64.RawURLEncoding.EncodeToString(s.mac(payload))
}

// verify returns the claims of a part of an address, or errForged. It does not look at the time.
func (s *signer) verify(token string) (*claims, error) {
	payload, signature, found := strings.Cut(token, ".")
	if !found || len(token) > maxToken {
		return nil, errForged
	}
	// Strict: no other text has the same bytes, so that no two addresses are alike.
	mac, err := base64.RawURLEncoding.Strict().DecodeString(signature)
	if err != nil || !hmac.Equal(mac, s.mac(payload)) {
		return nil, errForged
	}
	text, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return nil, errForged
	}
	c := new(claims)
	if json.Unmarshal(text, c) != nil {
		return nil, errForged
	}
	return c, nil
}

// roundUp returns a time when an address ends that is good for d: at least d from now, and half as
// long again at most. It is the same for all who ask within half of d, nearly always.
func roundUp(now time.Time, d time.Duration) time.Time {
	step := max(d/2, time.Second).Truncate(time.Second)
	end := now.Add(d)
	if rounded := end.Truncate(step); rounded.Before(end) {
		return rounded.Add(step)
	}
	return end
}
