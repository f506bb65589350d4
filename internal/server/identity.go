package server

import (
	"context"

	"forge/internal/application"
	"forge/internal/token"
	"forge/internal/viewer"
)

// Identity holds the keys that tell who sent a request. With AUTH=off, it is the zero value.
type Identity struct {
	verifier *token.Verifier // nil if AUTH is off
	issuer   *token.Issuer   // nil if Forge has no key of its own
	cursors  []byte          // the key for cursors; nil if AUTH is off
	passing  bool            // whether the key for cursors is good for this process alone
}

// identity reads the keys of the settings, and fetches the provider's keys. If the provider does
// not answer, the server starts nevertheless, and keepFresh tries again. It returns an error if the
// keys of the settings are not valid.
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
	options := s.Token
	options.Roles = s.app.API(application.Services{}).Roles()
	id := &Identity{verifier: token.NewVerifier(options, keys, s.log), issuer: token.NewIssuer(options, keys)}
	var lasting bool
	if id.cursors, lasting = s.Token.CursorKey(keys); !lasting {
		id.passing = true
		s.log.WarnContext(ctx, "cursors are good for this process alone, as it makes up their key: set "+s.NameOf("CURSOR_SECRET"))
	}
	_ = id.verifier.Fetch(ctx) // it has logged its error
	return id, nil
}

// keepFresh keeps the provider's keys up to date until ctx ends.
func (i *Identity) keepFresh(ctx context.Context) {
	if i.verifier != nil {
		i.verifier.KeepFresh(ctx)
	}
}

// requests returns a context for requests. With AUTH=off, its viewer is the system, which may do
// everything.
func (i *Identity) requests(ctx context.Context) context.Context {
	if i.verifier == nil {
		return viewer.NewContext(ctx, viewer.System)
	}
	return ctx
}
