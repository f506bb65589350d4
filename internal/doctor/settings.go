package doctor

import (
	"cmp"
	"context"
	"forge/internal/application"
	"net"
	"strings"

	"forge/internal/database"
)

// Unreadable returns the report for settings that cannot be loaded.
func Unreadable(mistakes ...error) (report Report) {
	for _, err := range mistakes {
		report = append(report, fail("settings", err.Error(), "Correct that setting; forge settings all lists all."))
	}
	return report
}

// settings reports combinations of settings that are wrong or risky. Loading the settings has
// checked each of them alone.
func (d *Doctor) settings(context.Context, *database.DB) (found []Finding) {
	s := d.config
	kind := "development"
	if s.Production {
		kind = "production"
	}
	if err := s.MayServe(); err != nil {
		found = append(found, fail("settings", err.Error(), "`forge serve` does not start like this."))
	} else if s.Open() {
		found = append(found, warn("settings", "whoever can connect to "+s.Addr+" is an administrator, as "+s.NameOf("AUTH_OFF_ANYWHERE")+" says",
			"Have a proxy or a firewall decide who may connect."))
	}
	if s.Production && s.Playground {
		found = append(found, warn("settings", "the playground is on in production", "Leave "+s.NameOf("PLAYGROUND")+" out, unless that is meant."))
	}
	if s.Production && s.Demo {
		found = append(found, warn("settings", "an empty database is filled with demo data in production", "Leave "+s.NameOf("DEMO")+" out."))
	}
	if s.TrustedDocuments != "" {
		if _, err := d.app.API(application.Services{}).TrustedDocuments(s.TrustedDocuments, s.MaxTokens); err != nil {
			found = append(found, fail("settings", s.NameOf("TRUSTED_DOCUMENTS")+"="+s.TrustedDocuments+": "+err.Error(),
				"`forge serve` does not start like this. Write the manifest anew, from the documents of clients that fit this schema."))
		}
	}
	if s.DatabaseURL == "sqlite::memory:" {
		found = append(found, warn("settings", "the database is in memory: everything is gone when the process ends",
			"Set DATABASE_URL to sqlite:PATH or postgres://…, unless that is meant."))
	}
	if host := inTheClear(s.DatabaseURL); host != "" {
		found = append(found, warn("settings", "rows and the password go to "+host+" without encryption",
			"Set sslmode=verify-full in DATABASE_URL, with sslrootcert where the server has a certificate of its own, unless the network between is trusted."))
	}
	if len(found) == 0 {
		found = append(found, ok("settings", "%s, %s, on %s", kind, database.Redact(s.DatabaseURL), s.Addr))
	}
	return found
}

// inTheClear returns the first host of a PostgreSQL address to which connections go over a network
// without TLS. It returns "" if there is none.
func inTheClear(address string) string {
	u, err := database.ParseAddress(address)
	if err != nil || !strings.HasPrefix(u.Scheme, "postgres") || u.Query().Get("sslmode") != "disable" {
		return ""
	}
	for _, host := range strings.Split(cmp.Or(u.Query().Get("host"), u.Hostname()), ",") {
		ip := net.ParseIP(host)
		if host != "" && host != "localhost" && !strings.HasPrefix(host, "/") && (ip == nil || !ip.IsLoopback()) {
			return host
		}
	}
	return ""
}
