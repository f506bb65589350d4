package bootstrap

import (
	"errors"
	"fmt"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"

	"forge/internal/database"
	"forge/internal/migrator"
	"forge/internal/settings"
)

// explain adds the address of the database to an error. If the cause is known, it also says in
// plain words what is wrong.
func explain(s *settings.Settings, err error) error {
	if err == nil {
		return nil
	}
	// An error of a migration names its statement, which says more than the advice below.
	if _, ok := errors.AsType[*migrator.StepError](err); !ok {
		if refused, ok := errors.AsType[*pq.Error](err); ok && permanent[refused.Code] != "" {
			err = fmt.Errorf("%s; %s", refused.Message, permanent[refused.Code])
		} else if errors.Is(err, pq.ErrSSLNotSupported) {
			err = errors.New("the server does not encrypt connections; sslmode=disable in the address does without, where the network between is trusted")
		} else if plain := unwritable(s.DatabaseURL, err); plain != nil {
			err = plain
		} else if known := database.ClientError(err); known != nil {
			err = known
		}
	}
	return fmt.Errorf("%s=%q: %w", s.NameOf("DATABASE_URL"), database.Redact(s.DatabaseURL), err)
}

// permanent has advice for errors of PostgreSQL that will come again until somebody changes
// something.
var permanent = map[pqerror.Code]string{
	pqerror.InvalidCatalogName:                "make it first (createdb), or name another one",
	pqerror.InvalidPassword:                   "the address has another user or password than the server knows",
	pqerror.InvalidAuthorizationSpecification: "the server lets nobody in with this user from here (see its pg_hba.conf)",
}
