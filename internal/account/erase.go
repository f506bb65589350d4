package account

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/credential"
	entfile "forge/ent/file"
	entmail "forge/ent/mail"
	"forge/ent/signin"
	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/entity"
	"forge/internal/rule"
	"forge/internal/session"
	"forge/internal/unit"
)

// Delete has the viewer's account erased after the grace time, and returns when. If the account has
// a password, it has to be given; after too many wrong ones the error is RATE_LIMITED. If it has
// none, the viewer must have signed in some minutes ago at most.
func (s *Service) Delete(ctx context.Context, secret string) (at time.Time, err error) {
	if s == nil {
		return at, s.offers("")
	}
	a, err := s.signedIn(ctx)
	if err != nil {
		return at, err
	}
	if err := s.mayDelete(ctx, a, secret); err != nil {
		return at, err
	}
	if at, err = now(ctx); err != nil {
		return at, err
	}
	at = at.Add(s.Grace)
	if err := s.Accounts.SetEraseAt(system(ctx), a.ID, at); err != nil {
		return at, fmt.Errorf("have an account erased: %w", err)
	}
	return at, s.tell(ctx, a, telling{What: Deletion, Life: s.Grace})
}

func (s *Service) mayDelete(ctx context.Context, a *Account, secret string) error {
	if a.Hash == "" {
		lately, err := s.Sessions.RecentlyBegun(ctx)
		if err == nil && !lately {
			err = apperr.Forbidden("password", "sign in again, and delete the account within %d minutes", session.Lately/time.Minute)
		}
		return err
	}
	err := s.Narrow.Guard(ctx, func() (bool, error) { return s.Passwords.Verify(ctx, secret, a.Hash) }, "delete account", a.ID.String())
	if errors.Is(err, session.ErrWrong) {
		return apperr.BadInput("password", "password is not the user's password")
	}
	return err
}

// Keep keeps the viewer's account, which was to be erased.
func (s *Service) Keep(ctx context.Context) error {
	if s == nil {
		return s.offers("")
	}
	a, err := s.signedIn(ctx)
	if err != nil {
		return err
	}
	return s.Accounts.SetEraseAt(system(ctx), a.ID, time.Time{})
}

// eraseAtOnce is how many accounts a unit of work erases at most.
const eraseAtOnce = 10

// eraseAgain is how long an account waits that could not be erased.
const eraseAgain = time.Hour

// Erased erases accounts whose grace time had passed at the time now, and returns how many it
// has taken up. It is an expiry.Some. An account that cannot be erased is logged, and is due again
// after eraseAgain, so that it does not keep the others from being erased.
func (s *Service) Erased(ctx context.Context, now time.Time) (n int, err error) {
	due, err := s.Accounts.ToErase(ctx, now, eraseAtOnce)
	if err != nil {
		return 0, err
	}
	for _, id := range due {
		locked, err := s.Accounts.Lock(ctx, id)
		if err != nil {
			return n, err
		}
		a, err := s.Accounts.Mailbox(ctx, id)
		if err != nil {
			return n, err
		}
		if locked == nil || a != nil && (a.EraseAt.IsZero() || a.EraseAt.After(now)) {
			continue // it is gone, or was kept meanwhile
		}
		if err := s.tryToErase(ctx, locked, now); err != nil {
			return n, fmt.Errorf("erase an account: %w", err)
		}
		n++
	}
	return n, nil
}

// tryToErase erases an account that is locked, or has it wait. It returns an error if nothing can
// be stored at present.
func (s *Service) tryToErase(ctx context.Context, a *session.Account, now time.Time) error {
	u, away := unit.FromContext(ctx), false
	err := u.Savepoint(ctx, func() error {
		err := s.erase(ctx, a, now)
		away = u.Transient() || ctx.Err() != nil
		return err
	})
	if err == nil || away {
		return err
	}
	s.Log.WarnContext(ctx, "an account cannot be erased, trying again later", "account", a.ID, "error", database.RedactError(err))
	return s.Accounts.SetEraseAt(entity.WithDeleted(ctx), a.ID, now.Add(eraseAgain))
}

// erase erases an account that is locked: what is personal of it and of its rows, and all by which
// somebody can sign in to it.
func (s *Service) erase(ctx context.Context, a *session.Account, now time.Time) error {
	id := a.ID
	at, err := session.Stamp(ctx, s.Accounts, a.ID)
	if err != nil {
		return err
	}
	if err := session.End(ctx, a.ID); err != nil {
		return err
	}
	db := ent.FromUnit(ctx)
	for _, remove := range []func() (int, error){
		func() (int, error) { return db.Credential.Delete().Where(credential.UserID(id)).Exec(ctx) },
		func() (int, error) { return db.SignIn.Delete().Where(signin.UserID(id)).Exec(ctx) },
		func() (int, error) {
			return db.Mail.Delete().Where(entmail.Or(entmail.UserID(id), entmail.Recipient(a.Name), entmail.RecipientEqualFold(a.Email))).Exec(ctx)
		},
	} {
		if _, err := remove(); err != nil {
			return err
		}
	}
	if err := Erase(ctx, s.Entities, id, now, at); err != nil {
		return err
	}
	s.Revoked(id, at)
	return eraseFiles(ctx, s.Entities, id)
}

// eraseFiles has the files removed that the account has uploaded, and that no row has. Of those that
// rows have which stay, it erases who has uploaded them, and what they were called.
func eraseFiles(ctx context.Context, entities []*entity.Entity, id uuid.UUID) error {
	if _, err := ent.FromUnit(ctx).File.Update().Where(entfile.UserID(id), entfile.AttachedAtIsNil()).SetState(entfile.StateRemoved).Save(ctx); err != nil {
		return fmt.Errorf("remove the files of an account: %w", err)
	}
	files := entity.FilesOf(entities)
	c := changes{e: files}
	c.set("user_id", nil)
	c.set("name", "erased")
	if err := c.update(ctx, "user_id", id); err != nil {
		return err
	}
	for _, edge := range accountEntity(entities).Edges {
		if edge.Files == nil || edge.OwnKey {
			continue
		}
		c := changes{e: files}
		c.set(edge.Column, nil)
		if err := c.update(ctx, edge.Column, id); err != nil {
			return err
		}
	}
	return nil
}

// These are columns of accounts that the framework has, and what becomes of them.
var ownColumns = map[string]entity.Erase{
	"created_at": entity.Keep, "updated_at": entity.Keep, "version": entity.Keep, "role": entity.Keep, "is_active": entity.Keep,
	"hashed_password": entity.Clear, "email_verified_at": entity.Clear, "erase_at": entity.Clear,
}

// accountEntity returns the entity whose rows are accounts, which has the column erase_at. It
// returns nil if there is none.
func accountEntity(entities []*entity.Entity) *entity.Entity {
	for _, e := range entities {
		if e.Column("erase_at") != nil {
			return e
		}
	}
	return nil
}

// ownerOf returns the column of e with the account that owns a row, or nil.
func ownerOf(e, account *entity.Entity) *entity.Field {
	f := e.Column(cmp.Or(e.Owner, rule.OwnerColumn(e)))
	if f == nil || e == account || f.Refers != account.Name {
		return nil
	}
	return f
}

// Erase erases what is personal of an account and of the rows that it owns, as the annotations of
// the entities say. The account is left as a deleted one, to which the rows that are kept refer.
// Its tokens that are older than validAfter are ended.
func Erase(ctx context.Context, entities []*entity.Entity, id uuid.UUID, now, validAfter time.Time) error {
	account := accountEntity(entities)
	if account == nil {
		return errors.New("no entity has the column erase_at")
	}
	for _, e := range entities {
		owner := ownerOf(e, account)
		if owner == nil {
			continue
		}
		c := changes{e: e, now: now}
		c.personal(e.Personal)
		switch e.OwnerErased {
		case entity.Remove:
			if err := c.remove(ctx, owner.Column, id); err != nil {
				return err
			}
			continue
		case entity.Release:
			c.set(owner.Column, nil)
		}
		if err := c.update(ctx, owner.Column, id); err != nil {
			return err
		}
	}
	c := changes{e: account, now: now}
	c.personal(rulesOf(account))
	c.set("tokens_valid_after", validAfter)
	if account.Deleted != "" {
		c.set(account.Deleted, now)
	}
	return c.update(ctx, account.Fields[0].Column, id)
}

// rulesOf returns what becomes of each column of accounts.
func rulesOf(e *entity.Entity) map[string]entity.Erase {
	rules, keys := map[string]entity.Erase{}, map[string]bool{}
	for _, f := range e.Fields {
		keys[f.MatchBy] = true
	}
	for i, f := range e.Fields {
		own, framework := ownColumns[f.Column]
		declared, said := e.Personal[f.Column]
		switch {
		case i == 0 || keys[f.Column] || f.Kind == entity.ID && !e.HoldsFile(f.Column) || f.Column == "tokens_valid_after" || f.Column == e.Deleted:
			rules[f.Column] = entity.Keep
		case said:
			rules[f.Column] = declared
		case e.HoldsFile(f.Column) && f.Nullable:
			rules[f.Column] = entity.Clear
		case framework:
			rules[f.Column] = own
		case f.Nullable:
			rules[f.Column] = entity.Clear
		case f.Kind == entity.String:
			rules[f.Column] = entity.Replace
		}
	}
	return rules
}

// changes are the changes of rows of an entity.
type changes struct {
	e    *entity.Entity
	now  time.Time
	sets []string
	args []any
}

// set sets a column to a value.
func (c *changes) set(column string, value any) {
	c.args = append(c.args, value)
	c.sets = append(c.sets, fmt.Sprintf("%q = $%d", column, len(c.args)))
}

// personal erases columns by their rules, and the columns by which they are compared.
func (c *changes) personal(rules map[string]entity.Erase) {
	for _, f := range c.e.Fields {
		var value any
		switch rules[f.Column] {
		case entity.Clear:
		case entity.Replace:
			value = "erased_" + strings.ToLower(rand.Text()[:13]) // 65 random bits
		default:
			continue
		}
		c.set(f.Column, value)
		if f.MatchBy != "" {
			c.set(f.MatchBy, value)
		}
	}
}

// update changes the rows whose column has the account. The rows have another version then.
func (c *changes) update(ctx context.Context, column string, id uuid.UUID) error {
	if len(c.sets) == 0 {
		return nil
	}
	if c.e.Column("updated_at") != nil {
		c.set("updated_at", c.now)
	}
	if c.e.Column("version") != nil {
		c.sets = append(c.sets, "version = version + 1")
	}
	c.args = append(c.args, id)
	statement := fmt.Sprintf("UPDATE %s SET %s WHERE %q = $%d", c.table(ctx), strings.Join(c.sets, ", "), column, len(c.args))
	if _, err := unit.FromContext(ctx).Exec(ctx, statement, c.args...); err != nil {
		return fmt.Errorf("erase what is personal of %s: %w", c.e.Name, err)
	}
	return nil
}

// remove removes the rows whose column has the account.
func (c *changes) remove(ctx context.Context, column string, id uuid.UUID) error {
	if _, err := unit.FromContext(ctx).Exec(ctx, fmt.Sprintf("DELETE FROM %s WHERE %q = $1", c.table(ctx), column), id); err != nil {
		return fmt.Errorf("remove %s of an account: %w", c.e.Name, err)
	}
	return nil
}

func (c *changes) table(ctx context.Context) string {
	if c.e.Schema != "" && unit.FromContext(ctx).Dialect() == "postgres" {
		return fmt.Sprintf("%q.%q", c.e.Schema, c.e.Table)
	}
	return fmt.Sprintf("%q", c.e.Table)
}
