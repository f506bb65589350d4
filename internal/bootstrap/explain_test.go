package bootstrap

import (
	"strings"
	"testing"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"

	"forge/internal/settings"
)

// TestExplainPermanent checks that the errors which trying again does not mend do not ask for that.
func TestExplainPermanent(t *testing.T) {
	t.Parallel()
	for code, want := range map[pqerror.Code]string{
		pqerror.InvalidCatalogName:                "it is wrong; make it first",
		pqerror.InvalidPassword:                   "it is wrong; the address has another user or password",
		pqerror.InvalidAuthorizationSpecification: "it is wrong; the server lets nobody in",
	} {
		s := &settings.Settings{DatabaseURL: "postgres://u:s3cret@h/d"}
		err := explain(s, &pq.Error{Code: code, Message: "it is wrong"})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "try again") || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want %q", code, err, want)
		}
	}
	if err := explain(&settings.Settings{}, pq.ErrSSLNotSupported); err == nil || !strings.Contains(err.Error(), "sslmode=disable") {
		t.Errorf("a server without TLS: %v, want what to set", err)
	}
	err := explain(&settings.Settings{}, &pq.Error{Code: pqerror.AdminShutdown, Message: "going down"})
	if err == nil || !strings.Contains(err.Error(), "try again") {
		t.Errorf("a server that goes down: %v, want that it may be tried again", err)
	}
}
