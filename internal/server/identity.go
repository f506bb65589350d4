package main

import (
	"context"

	"forge/internal/session"
	"forge/internal/token"
	"forge/internal/viewer"
)

// identity is what tells who a request comes from.
type identity struct {
	verifier *token.Verifier // nil where AUTH is off
	issuer   *token.Issuer   // nil where Forge has no key of its own
	cursors  []byte          // the key of cursors; nil where everybody may see everything
}

// identity reads the keys and fetches the provider's; where these are not to be had, the server starts all the same, and goes on trying.
func (p program) identity(ctx context.Context) (*identity, error) {
	if !p.Auth {
		if p.Token.KeysFile != "" {
			p.log.WarnContext(ctx, p.NameOf("AUTH_KEYS_FILE")+" has no effect: "+p.NameOf("AUTH")+" is off, so tokens are neither made nor looked at")
		}
		return &identity{}, nil
	}
	keys, err := token.ReadKeys(p.Token.Secret, p.Token.KeysFile)
	if err != nil {
		return nil, p.Refused("AUTH_KEYS_FILE", err)
	}
	if token.Exposed(p.Token.KeysFile) {
		p.log.WarnContext(ctx, "other users of this machine can read the keys that tokens are signed with: chmod o= "+p.Token.KeysFile)
	}
	who := &identity{verifier: token.NewVerifier(p.Token, keys, p.log), issuer: token.NewIssuer(p.Token, keys)}
	var lasting bool
	if who.cursors, lasting = p.Token.CursorKey(keys); !lasting {
		p.log.WarnContext(ctx, "cursors are good for this process alone, as it makes up their key: set "+p.NameOf("CURSOR_SECRET"))
	}
	_ = who.verifier.Fetch(ctx) // it has logged what went wrong
	return who, nil
}

// sign returns what makes access tokens, or nil if there is no key.
func (i *identity) sign() session.Issuer {
	if i.issuer == nil {
		return nil
	}
	return i.issuer
}

// keepFresh keeps what is known of a provider fresh until ctx ends.
func (i *identity) keepFresh(ctx context.Context) {
	if i.verifier != nil {
		i.verifier.KeepFresh(ctx)
	}
}

// requests returns a context with the viewer of requests that do not say who they come from.
func (i *identity) requests(ctx context.Context) context.Context {
	if i.verifier == nil {
		return viewer.NewContext(ctx, viewer.System)
	}
	return ctx
}
