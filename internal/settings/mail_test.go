package settings

import (
	"slices"
	"strings"
	"testing"
)

// TestMail loads the settings of mails, and checks what a server needs to send some.
func TestMail(t *testing.T) {
	t.Parallel()
	const signed = "MAIL_SECRET=whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"
	production := []string{"FORGE_ENV=production", "AUTH_SECRET=" + strings.Repeat("0123456789", 4)}
	sends := append(slices.Clone(production), "MAIL_URL=smtp://ada:pass@mail.example.com", "MAIL_FROM=Shop <shop@example.com>", "ACCOUNT_URL=https://app.example/account")
	for _, tt := range []struct {
		words []string
		name  string // of the setting that is refused, or ""
	}{
		{production, ""},
		{sends, ""},
		{append(slices.Clone(sends), "ACCOUNT_MAILS=link, code"), ""},
		{append(slices.Clone(sends), "ACCOUNT_MAILS=none"), ""},
		{append(slices.Clone(sends), "ACCOUNT_MAILS=links"), "ACCOUNT_MAILS"},
		{append(slices.Clone(sends), "MAIL_FROM=none"), "MAIL_FROM"},
		{append(slices.Clone(sends), "MAIL_FROM=Shop"), "MAIL_FROM"},
		{append(slices.Clone(sends), "MAIL_FROM=Shop\nBcc: eve@example.com <shop@example.com>"), "MAIL_FROM"},
		{append(slices.Clone(sends), "ACCOUNT_URL=none"), "ACCOUNT_URL"},
		{append(slices.Clone(sends), "ACCOUNT_URL=http://app.example/account"), "ACCOUNT_URL"},
		{append(slices.Clone(sends), "ACCOUNT_URL=https://app.example/#account"), "ACCOUNT_URL"},
		{append(slices.Clone(sends), "ACCOUNT_URL=javascript:alert(1)"), "ACCOUNT_URL"},
		{[]string{"ACCOUNT_URL=http://localhost:3000/account"}, ""},
		{[]string{"MAIL_URL=https://mail.example.com/", signed}, ""},
		{[]string{"MAIL_URL=https://mail.example.com/"}, "MAIL_URL"},
		{[]string{"MAIL_URL=http://mail.example.com/", signed}, "MAIL_URL"},
		{[]string{"MAIL_URL=mail.example.com:25"}, "MAIL_URL"},
	} {
		s, err := load(t, tt.words...)
		if err == nil {
			err = s.MayServe()
		}
		if tt.name == "" && err != nil && !strings.HasPrefix(err.Error(), "MAIL_FROM") || tt.name != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.name)) {
			t.Errorf("%v: %v, want that %q is refused", tt.words, err, tt.name)
		}
		if err != nil && strings.Contains(err.Error(), "pass@") {
			t.Errorf("%v: the error shows the password: %v", tt.words, err)
		}
	}
	s, err := load(t, production...)
	if err != nil || len(s.Mail.Kinds) > 0 || s.MailKept() {
		t.Errorf("in production, nothing is on by itself: %+v, %v", s.Mail, err)
	}
}
