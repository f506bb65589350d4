package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"golang.org/x/oauth2"
)

// gitHub is GitHub, or a GitHub Enterprise server. It speaks OAuth 2, and tells by its REST API who
// has signed in.
type gitHub struct {
	*Config
	client *http.Client
}

func (g *gitHub) oauth(a authorization) *oauth2.Config {
	return &oauth2.Config{ClientID: g.ClientID, ClientSecret: g.ClientSecret, RedirectURL: a.redirect, Scopes: g.Scopes,
		Endpoint: oauth2.Endpoint{
			AuthURL:   g.Issuer + "/login/oauth/authorize",
			TokenURL:  g.Issuer + "/login/oauth/access_token",
			AuthStyle: oauth2.AuthStyleInParams,
		}}
}

// api returns where the REST API is.
func (g *gitHub) api() string {
	if g.Issuer == g.preset.issuer {
		return "https://api.github.com"
	}
	return g.Issuer + "/api/v3"
}

func (g *gitHub) address(_ context.Context, a authorization) (string, error) {
	return g.oauth(a).AuthCodeURL(a.state, oauth2.S256ChallengeOption(a.verifier)), nil
}

// fits accepts no issuer, or one of GitHub's own.
func (g *gitHub) fits(_ context.Context, issuer string) error {
	if issuer == "" || issuer == g.Issuer || issuer == g.Issuer+"/login/oauth" {
		return nil
	}
	return &Failure{Step: "callback", Reason: "another issuer"}
}

func (g *gitHub) person(ctx context.Context, a authorization, code string) (*Person, error) {
	ctx = through(ctx, g.client)
	token, err := g.oauth(a).Exchange(ctx, code, oauth2.VerifierOption(a.verifier))
	if err != nil {
		return nil, step("token", err)
	}
	var who struct {
		ID    int64  `json:"id"`
		Login string `json:"login"`
	}
	if err := g.get(ctx, "/user", token, &who); err != nil {
		return nil, err
	}
	if who.ID <= 0 {
		return nil, &Failure{Step: "user", Reason: "no subject"}
	}
	var emails []struct {
		Email             string
		Primary, Verified bool
	}
	if err := g.get(ctx, "/user/emails", token, &emails); err != nil {
		return nil, err
	}
	found := &Person{Issuer: g.Issuer, Subject: strconv.FormatInt(who.ID, 10), Username: who.Login}
	for _, e := range emails {
		if e.Primary {
			found.Email, found.Verified = e.Email, e.Verified
		}
	}
	return found, nil
}

// get reads the answer of the REST API at a path into v.
func (g *gitHub) get(ctx context.Context, path string, token *oauth2.Token, v any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, g.api()+path, nil)
	if err != nil {
		return fmt.Errorf("ask a provider: %w", err)
	}
	r.Header.Set("Accept", "application/vnd.github+json")
	token.SetAuthHeader(r)
	answer, err := g.client.Do(r)
	if err != nil {
		return step(path[1:], err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return &Failure{Step: path[1:], Reason: "status " + strconv.Itoa(answer.StatusCode)}
	}
	if err := json.NewDecoder(answer.Body).Decode(v); err != nil {
		return step(path[1:], err)
	}
	return nil
}
