package stream

import "testing"

// FuzzMessages has parseMessage and all that follows read any text. It checks that a bad message
// has a reason that fits into a close frame.
func FuzzMessages(f *testing.F) {
	for _, text := range []string{
		`{"type":"connection_init","payload":{"Authorization":"Bearer x"}}`, `{"type":"connection_init","payload":{"authorization":1,"AUTHORIZATION":null}}`,
		`{"id":"1","type":"subscribe","payload":{"query":"{ a }","variables":{"a":[1]},"extensions":{"after":"c"}}}`,
		`{"id":"1","type":"complete"}`, `{"type":"ping","payload":null}`, `{"id":7,"type":"subscribe"}`, `[]`, `null`, "\xff", `{"type":"pong","payload":[]}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, wrong := parseMessage(text)
		if wrong == nil {
			_, _, wrong = m.authorization()
		}
		if wrong == nil && m.kind == "subscribe" {
			params, refused, bad := m.parameters()
			if (params == nil) == (refused == nil && bad == nil) {
				t.Errorf("%q has parameters %v and the errors %v, %v", text, params, refused, bad)
			}
			if params != nil {
				afterOf(params)
			}
			wrong = bad
		}
		if wrong != nil && (wrong.reason == "" || len(cutReason(wrong.reason)) > maxReason) {
			t.Errorf("%q is refused with %q", text, wrong.reason)
		}
	})
}
