package factor

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"errors"
	"fmt"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/credential"
	"forge/internal/database"
	"forge/internal/unit"
)

// vault seals secrets, so that a copy of the database is not enough to read them. The first key
// seals, and all keys open.
type vault []sealer

// sealer seals with one key, by AES-256-GCM. A sealed secret is the key's ID, a random nonce, and
// the output of GCM. It can be opened for its account alone.
type sealer struct {
	id   []byte
	aead cipher.AEAD
}

// idSize is the length of the ID of a key in bytes.
const idSize = 4

func newVault(keys [][]byte) (v vault) {
	for _, key := range keys {
		block, err := aes.NewCipher(key)
		if err != nil {
			panic("factor: " + err.Error()) // keys have 32 bytes
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			panic("factor: " + err.Error()) // AES has blocks of 16 bytes
		}
		id := sha256.Sum256(append([]byte("forge: the ID of a key\x00"), key...))
		v = append(v, sealer{id[:idSize], aead})
	}
	return v
}

func (v vault) seal(account uuid.UUID, secret []byte) []byte {
	return v[0].aead.Seal(bytes.Clone(v[0].id), nil, secret, account[:])
}

var errUnsealable = errors.New("sealed with another key")

// open opens a sealed secret. outdated says that it is to be sealed again, with the first key.
func (v vault) open(account uuid.UUID, sealed []byte) (secret []byte, outdated bool, err error) {
	for i, s := range v {
		if text, ours := bytes.CutPrefix(sealed, s.id); ours {
			if secret, err := s.aead.Open(nil, nil, text, account[:]); err == nil {
				return secret, i > 0, nil
			}
		}
	}
	return nil, false, errUnsealable
}

// CheckKeys logs an error if secrets were sealed with a key that is not there any more. The codes
// of these accounts cannot be checked.
func (f *Factors) CheckKeys(ctx context.Context) {
	if f == nil {
		return
	}
	var n int
	err := f.apart(ctx, unit.Snapshot, func(ctx context.Context) (err error) {
		n, err = ent.FromUnit(ctx).Credential.Query().Where(credential.Kind(kindTOTP), f.vault.cannotOpen).Count(system(ctx))
		return err
	})
	switch {
	case err != nil:
		f.Log.WarnContext(ctx, "it is not known whether the secrets of authenticator apps can be read", "error", database.RedactError(err))
	case n > 0:
		f.Log.ErrorContext(ctx, "the codes of authenticator apps cannot be checked, as the key that sealed their secrets is not there any more: "+
			"add it to FACTOR_SECRET as a further one", "accounts", n)
	}
}

// cannotOpen selects the rows that no key of v opens.
func (v vault) cannotOpen(s *sql.Selector) {
	for _, known := range v {
		s.Where(sql.P(func(b *sql.Builder) {
			b.WriteString(fmt.Sprintf("substr(%s, 1, %d) <> ", s.C(credential.FieldData), idSize)).Arg(known.id)
		}))
	}
}
