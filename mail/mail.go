// Package mail has the templates of mails; see docs/accounts.md. The folder MAIL_TEMPLATES may have
// others that count instead.
package mail

import "embed"

// Templates are the templates.
//
//go:embed layout.html */*.txt */*.html
var Templates embed.FS
