package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"forge/ent"
	"forge/internal/apperr"
)

const (
	secretPrefix         = "whsec_"
	minSecret, maxSecret = 24, 64 // in bytes
	// rotation is for how long deliveries are signed with the previous secret as well.
	rotation = 24 * time.Hour
)

// newSecret returns a random secret.
func newSecret() string {
	key := make([]byte, 32)
	rand.Read(key) // never fails
	return secretPrefix + base64.StdEncoding.EncodeToString(key)
}

// CheckSecret returns BAD_USER_INPUT about the argument field if the secret is not one of Standard
// Webhooks.
func CheckSecret(field, secret string) error {
	encoded, ok := strings.CutPrefix(secret, secretPrefix)
	key, err := base64.StdEncoding.DecodeString(encoded)
	switch {
	case !ok || err != nil:
		return apperr.BadInput(field, "a secret is %s and the Base64 of %d to %d bytes, with padding; this one is not", secretPrefix, minSecret, maxSecret)
	case len(key) < minSecret || len(key) > maxSecret:
		return apperr.BadInput(field, "a secret has %d to %d bytes; this one has %d", minSecret, maxSecret, len(key))
	}
	return nil
}

// Sign sets the headers of Standard Webhooks for a body that is delivered under an ID. CheckSecret
// accepts the secret.
func Sign(header http.Header, secret, id string, now time.Time, body []byte) {
	seconds := strconv.FormatInt(now.Unix(), 10)
	setSignature(header, id, seconds, signature(secret, id, seconds, body))
}

func setSignature(header http.Header, id, seconds, signatures string) {
	header.Set("Webhook-Id", id)
	header.Set("Webhook-Timestamp", seconds)
	header.Set("Webhook-Signature", signatures)
}

// sign sets the headers of Standard Webhooks for a delivery to an endpoint.
func sign(header http.Header, row *ent.Webhook, id string, now time.Time, body []byte) {
	seconds := strconv.FormatInt(now.Unix(), 10)
	signatures := signature(row.Secret, id, seconds, body)
	if row.PreviousSecret != nil && row.PreviousUntil != nil && now.Before(*row.PreviousUntil) {
		signatures += " " + signature(*row.PreviousSecret, id, seconds, body)
	}
	setSignature(header, id, seconds, signatures)
}

// signature returns the signature of a delivery, with its version. The secret was checked when it
// was stored.
func signature(secret, id, seconds string, body []byte) string {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretPrefix))
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.", id, seconds)
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// deliveryID returns the ID of the delivery of what is between two positions.
func deliveryID(row *ent.Webhook, after, until string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %q %q", row.ID, after, until))
	return "msg_" + hex.EncodeToString(sum[:16])
}
