package webhook

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"forge/ent"
)

// TestSign compares with the example of the libraries of Standard Webhooks.
func TestSign(t *testing.T) {
	t.Parallel()
	const want = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	now, body := time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`)
	secret := "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	sent := func(row *ent.Webhook) string {
		header := http.Header{}
		sign(header, row, "msg_p5jXN8AQM9LWM0D4loKWxJek", now, body)
		return header.Get("webhook-timestamp") + " " + header.Get("webhook-signature")
	}
	if got := sent(&ent.Webhook{Secret: secret}); got != "1614265330 "+want {
		t.Errorf("got %s", got)
	}
	row := &ent.Webhook{Secret: newSecret(), PreviousSecret: &secret, PreviousUntil: new(now.Add(time.Second))}
	if got := strings.Fields(sent(row)); len(got) != 3 || got[1] == want || got[2] != want {
		t.Errorf("after a rotation, the signatures are %s", got)
	}
	row.PreviousUntil = &now
	if got := strings.Fields(sent(row)); len(got) != 2 || got[1] == want {
		t.Errorf("a day after a rotation, the signatures are %s", got)
	}
}

func TestSecret(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "whsec_c2hvcnQ=", "whsec_" + strings.Repeat("AAAA", 22)} {
		if CheckSecret("secret", bad) == nil {
			t.Errorf("%q is a secret", bad)
		}
	}
	for _, good := range []string{newSecret(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"} {
		if err := CheckSecret("secret", good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
}
