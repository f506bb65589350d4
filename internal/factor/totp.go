package factor

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" // RFC 6238; all apps know it, and few know another hash
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/credential"
	"forge/internal/apperr"
	"forge/internal/session"
	"forge/internal/unit"
)

const (
	digits = 6
	period = 30 // seconds that a code is for
	// skew is for how many periods before and after its own a code is good, as clocks differ.
	skew = 1
	// confirmTime is how long a new secret can be confirmed.
	confirmTime = 15 * time.Minute
)

// codeOf returns the code of a secret for a period (RFC 4226, section 5.3).
func codeOf(secret []byte, step int64) string {
	mac := hmac.New(sha1.New, secret)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(step)))
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 15
	return fmt.Sprintf("%0*d", digits, binary.BigEndian.Uint32(sum[at:])&(1<<31-1)%1_000_000)
}

// periodOf returns the period for which a code is good at the time now. It returns false if there
// is none after the period last.
func periodOf(secret []byte, code string, now time.Time, last int64) (found int64, ok bool) {
	current := now.Unix() / period
	for step := current - skew; step <= current+skew; step++ {
		if subtle.ConstantTimeCompare([]byte(codeOf(secret, step)), []byte(code)) == 1 && step > last {
			found, ok = step, true
		}
	}
	return found, ok
}

// TOTP is what an authenticator app needs.
type TOTP struct {
	Secret string // in base32, to be typed
	URI    string // otpauth://…, to be shown as a QR code
}

var errNoTOTP = apperr.Forbidden("", "this server offers no authenticator apps: set TOTP=on")

// BeginTOTP makes a secret for an app of the viewer. It counts once it is confirmed.
// The error is FORBIDDEN if the viewer has not signed in lately, and CONFLICT if an app is set up.
func (f *Factors) BeginTOTP(ctx context.Context) (t TOTP, err error) {
	if !f.Options.TOTP {
		return t, errNoTOTP
	}
	err = f.trusted(ctx, nil, func(a *session.Account) error {
		if row, err := confirmed(ctx, a.ID); err != nil {
			return err
		} else if row != nil {
			return apperr.Conflict("", "an authenticator app is set up already: disableTotp takes it away")
		}
		if err := forget(ctx, a.ID, kindTOTP); err != nil {
			return err
		}
		secret := make([]byte, 20)
		rand.Read(secret) // never fails
		t = f.shown(secret, a.Name)
		err := ent.FromUnit(ctx).Credential.Create().SetUserID(a.ID).SetKind(kindTOTP).SetKey(a.ID.String()).
			SetData(f.vault.seal(a.ID, secret)).Exec(system(ctx))
		if err != nil {
			return fmt.Errorf("store a secret: %w", err)
		}
		return nil
	})
	return t, err
}

// shown returns a secret as it is shown once.
func (f *Factors) shown(secret []byte, name string) TOTP {
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
	query := url.Values{"secret": {text}, "issuer": {f.Issuer}, "algorithm": {"SHA1"}, "digits": {fmt.Sprint(digits)}, "period": {fmt.Sprint(period)}}
	// Some apps show a + as it is.
	u := url.URL{Scheme: "otpauth", Host: "totp", Path: "/" + f.Issuer + ":" + name, RawQuery: strings.ReplaceAll(query.Encode(), "+", "%20")}
	return TOTP{Secret: text, URI: u.String()}
}

// ConfirmTOTP has the secret of BeginTOTP count from now on, if the code is good, and returns
// recovery codes. They are stored as hashes, and can never be shown again.
func (f *Factors) ConfirmTOTP(ctx context.Context, code string) (recovery []string, err error) {
	if !f.Options.TOTP {
		return nil, errNoTOTP
	}
	var now time.Time
	var row *ent.Credential
	a, err := f.guardViewer(ctx, func(ctx context.Context, a *session.Account) (_ bool, err error) {
		if now, err = unit.FromContext(ctx).Now(ctx); err != nil {
			return false, fmt.Errorf("read the database's clock: %w", err)
		}
		if row, err = first(of(ctx, a.ID, kindTOTP).Where(credential.ConfirmedAtIsNil()).Only(system(ctx))); err != nil {
			return false, err
		}
		if row == nil || now.Sub(row.CreatedAt) > confirmTime {
			return false, apperr.Conflict("", "there is nothing to confirm, or no longer: call beginTotp first")
		}
		return f.checkTOTP(ctx, row, code)
	})
	if err != nil {
		return nil, err
	}
	if err := row.Update().SetConfirmedAt(now).Exec(system(ctx)); err != nil {
		return nil, fmt.Errorf("confirm a secret: %w", err)
	}
	return renew(ctx, a.ID)
}

// DisableTOTP removes the viewer's app and recovery codes, if the code is good.
func (f *Factors) DisableTOTP(ctx context.Context, code string) error {
	return f.proved(ctx, code, func(a *session.Account) error { return forget(ctx, a.ID, kindTOTP, kindRecovery) })
}

// check reports whether a code is good as the second factor of an account, which the caller has
// locked. It is a code of the account's app, or a recovery code. It is then used up.
func (f *Factors) check(ctx context.Context, account uuid.UUID, code string) (bool, error) {
	row, err := confirmed(ctx, account)
	if row == nil || err != nil {
		return false, err
	}
	if code = plain(code); len(code) != digits {
		return useRecovery(ctx, account, code)
	}
	return f.checkTOTP(ctx, row, code)
}

var errSealed = &apperr.Error{Code: apperr.CodeUnavailable,
	Message: "this server cannot read what the app's codes are checked with; use a recovery code, or ask an administrator"}

// checkTOTP reports whether a code is one of the app of row, and later than the last one. It stores
// the beginning of the code's period in row.
func (f *Factors) checkTOTP(ctx context.Context, row *ent.Credential, code string) (bool, error) {
	secret, outdated, err := f.vault.open(row.UserID, *row.Data)
	if err != nil {
		f.Log.ErrorContext(ctx, "a code cannot be checked, as the key that sealed its secret is not there any more: "+
			"add it to FACTOR_SECRET as a further one, or call removeFactors", "account", row.UserID)
		return false, errSealed
	}
	now, err := unit.FromContext(ctx).Now(ctx)
	if err != nil {
		return false, fmt.Errorf("read the database's clock: %w", err)
	}
	last := int64(-1)
	if row.LastUsedAt != nil {
		last = row.LastUsedAt.Unix() / period
	}
	step, ok := periodOf(secret, plain(code), now, last)
	if !ok {
		return false, nil
	}
	update := row.Update().SetLastUsedAt(time.Unix(step*period, 0).UTC())
	if outdated {
		update.SetData(f.vault.seal(row.UserID, secret))
	}
	if err := update.Exec(system(ctx)); err != nil {
		return false, fmt.Errorf("use a code: %w", err)
	}
	return true, nil
}

// confirmed returns the row of an account's app, or nil if it has none that is confirmed.
func confirmed(ctx context.Context, account uuid.UUID) (*ent.Credential, error) {
	return first(of(ctx, account, kindTOTP).Where(credential.ConfirmedAtNotNil()).Only(system(ctx)))
}

// first returns a row, or nil if err says that there is none.
func first(row *ent.Credential, err error) (*ent.Credential, error) {
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for a credential: %w", err)
	}
	return row, nil
}

// forget removes an account's credentials of some kinds.
func forget(ctx context.Context, account uuid.UUID, kinds ...string) error {
	_, err := ent.FromUnit(ctx).Credential.Delete().Where(credential.UserID(account), credential.KindIn(kinds...)).Exec(system(ctx))
	if err != nil {
		return fmt.Errorf("remove credentials: %w", err)
	}
	return nil
}
