package account

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"strings"

	"forge/internal/email"
	"forge/internal/mail"
	"forge/internal/onetime"
)

// changing is kept with the mails of a change of an email.
type changing struct{ Email, Change string }

// compose tells the mails how each is made.
func (s *Service) compose() {
	s.Mails.Composers[Reset] = s.requested(Reset, s.byEmail)
	s.Mails.Composers[Link] = s.requested(Link, s.byLogin)
	s.Mails.Composers[Code] = s.code
	s.Mails.Composers[Verify] = s.verify
	s.Mails.Composers[changeNew] = s.changing(changeNew)
	s.Mails.Composers[changeOld] = s.changing(changeOld)
	s.Mails.Composers[changed] = s.changed
}

type finder func(ctx context.Context, what string) (*Account, error)

func (s *Service) byEmail(ctx context.Context, address string) (*Account, error) {
	return s.Accounts.FindMailbox(ctx, address)
}

func (s *Service) byLogin(ctx context.Context, login string) (*Account, error) {
	found, err := s.Accounts.FindLogin(ctx, login)
	if err != nil || found == nil {
		return nil, err
	}
	return s.Accounts.Mailbox(ctx, found.ID)
}

// found returns the account that a mail was asked for, or nil if there is none that mails can go
// to, or if too many have gone to its mailbox.
func (s *Service) found(ctx context.Context, find finder, q *mail.Queued) (a *Account, err error) {
	err = s.Mails.Within(ctx, func(ctx context.Context) error {
		a, err = find(ctx, q.Recipient)
		return err
	})
	if err != nil || a == nil || !a.Active || a.Email == "" {
		return nil, err
	}
	if s.tooManyTo(ctx, q, a.Email) {
		return nil, nil
	}
	return a, nil
}

// tooManyTo counts a mail to an address that is perhaps not that of who has asked for it, and
// reports whether too many have gone to its mailbox. They are counted together whatever account
// they are of: anybody can make accounts with the same email, one after the other.
func (s *Service) tooManyTo(ctx context.Context, q *mail.Queued, address string) bool {
	return q.Attempt == 1 && s.Narrow.Count(ctx, "mails to a mailbox", mailbox(address)) != nil
}

// mailbox returns the same text for all spellings of an address, and for those with a tag, such as
// ada+shop@example.com.
func mailbox(address string) string {
	key := email.Key(address)
	at := max(strings.LastIndexByte(key, '@'), 0)
	local, _, _ := strings.Cut(key[:at], "+")
	return local + key[at:]
}

// requested makes a mail with a token that somebody has asked for who was not signed in. It goes to
// the email as it is stored, and not as it was typed.
func (s *Service) requested(kind string, find finder) mail.Composer {
	return func(ctx context.Context, q *mail.Queued) (*mail.Letter, error) {
		a, err := s.found(ctx, find, q)
		if err != nil || a == nil {
			return nil, err
		}
		return s.letter(ctx, a, kind, kind, a.Email, mailed{Email: a.Email, Key: a.EmailKey})
	}
}

// letter makes a mail with a new token for an account.
func (s *Service) letter(ctx context.Context, a *Account, purpose, kind, to string, of mailed) (*mail.Letter, error) {
	values := mail.Values{Email: of.Email, Life: lives[purpose]}
	err := s.Mails.Within(ctx, func(ctx context.Context) error {
		token, err := onetime.New(ctx, purpose, a.ID, of, values.Life)
		values.Link = s.link(kind, token)
		return err
	})
	return &mail.Letter{Account: a.ID, To: to, Values: values}, err
}

// owner returns the account of a mail. It returns nil if the account is gone or may not sign in.
func (s *Service) owner(ctx context.Context, q *mail.Queued) (a *Account, err error) {
	err = s.Mails.Within(ctx, func(ctx context.Context) error {
		a, err = s.Accounts.Mailbox(ctx, q.Account)
		return err
	})
	if err != nil || a == nil || !a.Active {
		return nil, err
	}
	return a, nil
}

// verify makes the mail that proves an email, unless the account has another one by now.
func (s *Service) verify(ctx context.Context, q *mail.Queued) (*mail.Letter, error) {
	a, err := s.owner(ctx, q)
	if err != nil || a == nil || a.Email != q.Recipient || s.tooManyTo(ctx, q, a.Email) {
		return nil, err
	}
	return s.letter(ctx, a, Verify, Verify, a.Email, mailed{Email: a.Email, Key: a.EmailKey})
}

// changing makes one of the two mails of a change of an email. None goes to an email that another
// account has.
func (s *Service) changing(purpose string) mail.Composer {
	return func(ctx context.Context, q *mail.Queued) (*mail.Letter, error) {
		var data changing
		if err := q.Read(&data); err != nil {
			return nil, err
		}
		a, err := s.owner(ctx, q)
		if err != nil || a == nil || purpose == changeOld && a.Email != q.Recipient {
			return nil, err
		}
		if purpose == changeNew {
			taken, err := s.taken(ctx, a, data.Email)
			if err != nil || taken || s.tooManyTo(ctx, q, q.Recipient) {
				return nil, err
			}
		}
		return s.letter(ctx, a, purpose, Change, q.Recipient, mailed{Email: data.Email, Key: a.EmailKey, Change: data.Change})
	}
}

func (s *Service) taken(ctx context.Context, a *Account, address string) (taken bool, err error) {
	err = s.Mails.Within(ctx, func(ctx context.Context) error {
		other, err := s.Accounts.FindMailbox(ctx, address)
		taken = other != nil && other.ID != a.ID
		return err
	})
	return taken, err
}

// changed makes a mail that tells of a change.
func (s *Service) changed(_ context.Context, q *mail.Queued) (*mail.Letter, error) {
	var data telling
	if err := q.Read(&data); err != nil {
		return nil, err
	}
	return &mail.Letter{To: q.Recipient, Values: mail.Values{What: data.What, Life: data.Life}}, nil
}

// tries is how often a code may be tried. codeSpace is how many codes there are.
const (
	tries     = 5
	codeSpace = 1_000_000
)

// given is kept with a code. The code is hashed as passwords are, because there are few codes.
type given struct {
	Hash  string
	Key   string // of the account's email when the code was made
	Tries int    // how many are left
	Until int64  // when the code ends, in Unix microseconds
}

// code makes the mail with a code. The code before ends.
func (s *Service) code(ctx context.Context, q *mail.Queued) (*mail.Letter, error) {
	a, err := s.found(ctx, s.byLogin, q)
	if err != nil || a == nil {
		return nil, err
	}
	n, err := rand.Int(rand.Reader, big.NewInt(codeSpace))
	if err != nil {
		return nil, err
	}
	code := fmt.Sprintf("%06d", n)
	hash, err := s.Passwords.Hash(ctx, code)
	if err != nil {
		return nil, err
	}
	values := mail.Values{Code: code, Life: lives[Code]}
	err = s.Mails.Within(ctx, func(ctx context.Context) error {
		if _, err := s.Accounts.Lock(ctx, a.ID); err != nil {
			return err
		}
		at, err := now(ctx)
		if err != nil {
			return err
		}
		return s.keepCode(ctx, a, given{hash, a.EmailKey, tries, at.Add(values.Life).UnixMicro()}, values.Life)
	})
	return &mail.Letter{Account: a.ID, To: a.Email, Values: values}, err
}
