package idempotency

import (
	"context"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"

	"forge/ent/idempotencykey"
	"forge/internal/database"
)

// On PostgreSQL, a key that is new takes no round trip of its own. It is claimed together with the
// mutation's first statement, and its answer is stored together with the COMMIT. Both statements
// fail where Claim and Keep would have to look further: then the mutation is run again with those
// two.

// Claiming returns a statement that stores the key. It fails, as Refused tells, if the key is
// stored already.
func (r *Request) Claiming(ttl time.Duration) database.Statement {
	query, args := r.insert(dialect.Postgres, time.Now().UTC().Add(ttl)).Query()
	return database.Statement{Text: query, Args: args}
}

// Keeping returns a statement that stores the answer. It fails, as Refused tells, if the viewer has
// reached a limit. The error is that of Keep for an answer that is too large.
func (r *Request) Keeping(ctx context.Context, answer []byte, limits Limits) (database.Statement, error) {
	if err := tooLarge(ctx, answer, limits); err != nil {
		return database.Statement{}, err
	}
	update := entsql.Dialect(dialect.Postgres).Update(idempotencykey.Table).Set(idempotencykey.FieldAnswer, string(answer)).
		Where(entsql.And(entsql.EQ(idempotencykey.FieldViewer, r.Viewer), entsql.EQ(idempotencykey.FieldKey, r.Key)))
	if limits.any() {
		update.Where(entsql.P(func(b *entsql.Builder) {
			b.WriteString("1 / CASE WHEN ")
			r.writeWithin(b, limits, len(answer))
			b.WriteString(" THEN 1 ELSE 0 END = 1") // an error ends the transaction; no row would not
		}))
	}
	query, args := update.Query()
	return database.Statement{Text: query, Args: args}, nil
}

// Refused reports whether err comes from a statement of Claiming or Keeping, so that Claim and Keep
// can tell more.
func Refused(err error) bool {
	taken := pq.As(err, pqerror.UniqueViolation)
	return taken != nil && taken.Table == idempotencykey.Table || pq.As(err, pqerror.DivisionByZero) != nil
}
