package factor

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/credential"
	"forge/internal/session"
)

// recoveryCodes is how many recovery codes an account gets.
const recoveryCodes = 10

// crockford has no letters that are taken for digits: https://www.crockford.com/base32.html.
var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// misread replaces what people take for digits, and removes what they put between characters.
var misread = strings.NewReplacer(" ", "", "-", "", "O", "0", "I", "1", "L", "1")

// plain returns a code as it is compared.
func plain(code string) string { return misread.Replace(strings.ToUpper(code)) }

// RenewRecoveryCodes replaces the viewer's recovery codes, if the code is good. The new ones are
// stored as hashes, and can never be shown again.
func (f *Factors) RenewRecoveryCodes(ctx context.Context, code string) (codes []string, err error) {
	err = f.proved(ctx, code, func(a *session.Account) error {
		codes, err = renew(ctx, a.ID)
		return err
	})
	return codes, err
}

// renew replaces the recovery codes of an account.
func renew(ctx context.Context, account uuid.UUID) (codes []string, err error) {
	if err := forget(ctx, account, kindRecovery); err != nil {
		return nil, err
	}
	db := ent.FromUnit(ctx).Credential
	var rows []*ent.CredentialCreate
	for range recoveryCodes {
		random := make([]byte, 10) // never to be guessed, so the hash needs no cost
		rand.Read(random)          // never fails
		code := crockford.EncodeToString(random)
		rows = append(rows, db.Create().SetUserID(account).SetKind(kindRecovery).SetKey(recoveryKey(account, code)))
		codes = append(codes, code[:4]+"-"+code[4:8]+"-"+code[8:12]+"-"+code[12:])
	}
	if err := db.CreateBulk(rows...).Exec(system(ctx)); err != nil {
		return nil, fmt.Errorf("store recovery codes: %w", err)
	}
	return codes, nil
}

// useRecovery reports whether a code is a recovery code of an account, and removes it.
func useRecovery(ctx context.Context, account uuid.UUID, code string) (bool, error) {
	n, err := ent.FromUnit(ctx).Credential.Delete().
		Where(credential.UserID(account), credential.Kind(kindRecovery), credential.Key(recoveryKey(account, code))).Exec(system(ctx))
	if err != nil {
		return false, fmt.Errorf("use a recovery code: %w", err)
	}
	return n == 1, nil
}

// recoveryKey returns the hash of an account's recovery code.
func recoveryKey(account uuid.UUID, code string) string {
	sum := sha256.Sum256([]byte("forge: a recovery code\x00" + account.String() + code))
	return hex.EncodeToString(sum[:])
}
