package server

import (
	"context"

	"forge/internal/token"
	"forge/internal/viewer"
)

// Identity knows who a request comes from. The zero value is that of a server with AUTH=off.
type Identity struct {
	verifier *token.Verifier // nil if AUTH is off
	issuer   *token.Issuer   // nil if Forge has no key of its own
	cursors  []byte          // the key of cursors; nil if everybody may see everything
}

// identity reads the keys of the settings and fetches the provider's. If those cannot be had now,
// the server starts all the same and keeps trying.
func (s *Server) identity(ctx context.Context) (*Identity, error) {
	if !s.Auth {
		if s.Token.KeysFile != "" {
			s.log.WarnContext(ctx, s.NameOf("AUTH_KEYS_FILE")+" has no effect: "+s.NameOf("AUTH")+" is off, so tokens are neither made nor looked at")
		}
		return &Identity{}, nil
	}
	keys, err := token.ReadKeys(s.Token.Secret, s.Token.KeysFile)
	if err != nil {
		return nil, s.Refused("AUTH_KEYS_FILE", err)
	}
	if token.Exposed(s.Token.KeysFile) {
		s.log.WarnContext(ctx, "other users of this machine can read the keys that tokens are signed with: chmod o= "+s.Token.KeysFile)
	}
	id := &Identity{verifier: token.NewVerifier(s.Token, keys, s.log), issuer: token.NewIssuer(s.Token, keys)}
	var lasting bool
	if id.cursors, lasting = s.Token.CursorKey(keys); !lasting {
		s.log.WarnContext(ctx, "cursors are good for this process alone, as it makes up their key: set "+s.NameOf("CURSOR_SECRET"))
	}
	_ = id.verifier.Fetch(ctx) // it has logged the error
	return id, nil
}

// keepFresh keeps the keys of a provider up to date until ctx ends.
func (i *Identity) keepFresh(ctx context.Context) {
	if i.verifier != nil {
		i.verifier.KeepFresh(ctx)
	}
}

// requests returns a context with the viewer of requests that do not say who they come from.
func (i *Identity) requests(ctx context.Context) context.Context {
	if i.verifier == nil {
		return viewer.NewContext(ctx, viewer.System)
	}
	return ctx
}
