package graphqlhttp

import "testing"

// TestNegotiate checks which media type is chosen for Accept headers.
func TestNegotiate(t *testing.T) {
	tests := []struct{ accept, want string }{
		{"", plainJSON},
		{" , ", ""},
		{"*/*", plainJSON},
		{"application/*", plainJSON},
		{"application/json", plainJSON},
		{"application/json, */*", plainJSON},
		{"Application/JSON; Charset=UTF-8", plainJSON},
		{"text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", plainJSON},
		{"application/graphql-response+json", responseJSON},
		{"application/graphql-response+json; charset=utf-8, application/json; charset=utf-8", responseJSON},
		{"application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed", responseJSON},
		{"application/graphql-response+json, application/json;q=0.9", responseJSON},
		{"application/json, application/graphql-response+json", responseJSON},
		{"application/json;q=0.9, application/graphql-response+json", responseJSON},
		{"application/graphql-response+json;q=0.9, application/json", plainJSON},
		{"application/graphql-response+json;q=0, application/json", plainJSON},
		{"application/graphql-response+json;q=0, */*;q=0.1", plainJSON},
		{"application/graphql-response+json;q=0.2, */*;q=0.1", responseJSON},
		{"application/json;q=0, */*", responseJSON},
		{"application/json;q=0.5, */*", responseJSON},
		{"application/*;q=0.5, */*", plainJSON},
		{"application/*;q=0, */*", ""},
		{"application/*;q=0.2, application/graphql-response+json;q=0.1", plainJSON},
		{"application/json;q=0.1, application/json;q=0.3, application/graphql-response+json;q=0.2", plainJSON},
		{"application/json; charset=iso-8859-1, application/graphql-response+json;q=0.1", responseJSON},
		{"application/json; charset=iso-8859-1", ""},
		{"application/json;q=0", ""},
		{"application/graphql-response+json;q=0, application/json;q=0", ""},
		{"*/*;q=0", ""},
		{"text/html", ""},
		{"text/*", ""},
		{"application/xml, image/*", ""},
		{"application/json;q=2", ""},
		{"application/json;q=-1", ""},
		{"application/json;q=NaN", ""},
		{"application/json;q=high, application/graphql-response+json;q=0.1", responseJSON},
		{";;;, application/json", plainJSON},
	}
	for _, tt := range tests {
		media, acceptable := negotiate([]string{tt.accept})
		if acceptable != (tt.want != "") || acceptable && media != tt.want {
			t.Errorf("Accept: %s: %s, %t, want %q", tt.accept, media, acceptable, tt.want)
		}
	}
	if media, _ := negotiate([]string{"text/html", "application/graphql-response+json"}); media != responseJSON {
		t.Errorf("two Accept headers: %s, want %s", media, responseJSON)
	}
	if media, acceptable := negotiate(nil); media != plainJSON || !acceptable {
		t.Errorf("no Accept header: %s, %t, want %s", media, acceptable, plainJSON)
	}
}
