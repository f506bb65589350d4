package doctor

import (
	"context"

	"forge/internal/database"
	"forge/internal/mail"
)

// mail reports whether the service that takes mails can be reached. It sends nothing.
func (d *Doctor) mail(ctx context.Context, _ *database.DB) []Finding {
	if d.config.Mail.URL == "" {
		return nil
	}
	name := d.config.NameOf("MAIL_URL")
	sender, err := mail.NewSender(d.config.Mail.URL, d.config.Mail.Secret)
	if err == nil {
		err = sender.Greet(ctx)
	}
	if err != nil {
		return []Finding{fail("mail", err.Error(), "Correct "+name+", or see why the mail server does not answer. Until then, mails wait in the queue, for three days.")}
	}
	return []Finding{ok("mail", "the service that takes mails can be reached")}
}
