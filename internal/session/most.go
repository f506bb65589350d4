package session

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"forge/ent"
	entsession "forge/ent/session"
)

// mostSessions is how many sessions an account may have. Each session is a family of refresh
// tokens. The bound limits how many rows an account can store by signing in.
const mostSessions = 100

// makeRoom ends the sessions of an account that were not used for the longest time, so that one
// more may begin. The caller has locked the account.
func makeRoom(ctx context.Context, account uuid.UUID) error {
	_, err := ent.FromUnit(ctx).Session.Delete().Where(entsession.UserID(account), func(s *sql.Selector) {
		t := sql.Dialect(s.Dialect()).Table(entsession.Table).As("other")
		newest := sql.Dialect(s.Dialect()).Select(t.C(entsession.FieldFamily)).From(t).
			Where(sql.EQ(t.C(entsession.FieldUserID), account)).
			GroupBy(t.C(entsession.FieldFamily)).
			OrderExpr(sql.ExprFunc(func(b *sql.Builder) {
				b.WriteString("MAX(").Ident(t.C(entsession.FieldCreatedAt)).WriteString(") DESC")
			})).
			Limit(mostSessions - 1)
		s.Where(sql.NotIn(s.C(entsession.FieldFamily), newest))
	}).Exec(system(ctx))
	if err != nil {
		return fmt.Errorf("end the oldest sessions of a user: %w", err)
	}
	return nil
}
