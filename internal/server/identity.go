package server

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"time"

	"forge/internal/application"
	"forge/internal/cursorcipher"
	"forge/internal/database"
	"forge/internal/provider"
	"forge/internal/retry"
	"forge/internal/shared"
	"forge/internal/token"
	"forge/internal/viewer"
)

// Identity holds the keys that tell who sent a request. With AUTH=off, it is the zero value.
type Identity struct {
	verifier *token.Verifier // nil if AUTH is off
	issuer   *token.Issuer   // nil if Forge has no key of its own
	cursors  *cursorcipher.Cipher
	// key is the key of cursors as the database keeps it; nil if it is made of the settings, if
	// AUTH is off, and as long as it is not known.
	key []byte
	// kept says that the database keeps the key of cursors.
	kept bool
	// factors are the keys that seal the secrets of second factors.
	factors [][]byte
	// files is the key that addresses of files are signed with; nil if the settings have none.
	files []byte
}

// identity reads the keys of the settings, and fetches the provider's keys. If the provider does
// not answer, the server starts nevertheless, and keepFresh tries again. It returns an error if the
// keys of the settings are not valid.
func (s *Server) identity(ctx context.Context) (*Identity, error) {
	if !s.Auth {
		if s.Token.KeysFile != "" {
			s.log.WarnContext(ctx, s.NameOf("AUTH_KEYS_FILE")+" has no effect: "+s.NameOf("AUTH")+" is off, so tokens are neither made nor looked at")
		}
		return &Identity{cursors: cursorcipher.New(nil)}, nil
	}
	if err := s.makeSecret(ctx); err != nil {
		return nil, s.Refused("AUTH_SECRET", err)
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
	id := &Identity{verifier: token.NewVerifier(options, keys, s.log), issuer: token.NewIssuer(options, keys), factors: s.Token.FactorKeys(keys), files: s.Token.FileKey(keys)}
	key, lasting := s.Token.CursorKey(keys)
	id.cursors, id.kept = cursorcipher.New(key), !lasting
	_ = id.verifier.Fetch(ctx) // it has logged its error
	return id, nil
}

// readProviders reads the file of providers that people can sign in with. It returns an error if
// the file is not right, or if this server cannot sign anybody in.
func (s *Server) readProviders(ctx context.Context, identity *Identity) (err error) {
	switch {
	case s.ProvidersFile == "":
		return nil
	case !s.Auth:
		s.log.WarnContext(ctx, s.NameOf("AUTH_PROVIDERS_FILE")+" has no effect: "+s.NameOf("AUTH")+" is off, so nobody signs in")
		return nil
	case identity.issuer == nil:
		return s.Refused("AUTH_PROVIDERS_FILE", errors.New("this server has no key to sign tokens with: set AUTH_SECRET"))
	}
	if s.providers, err = provider.Read(s.ProvidersFile); err != nil {
		return s.Refused("AUTH_PROVIDERS_FILE", err)
	}
	if s.providers.PublicURL == "" && s.Production {
		return s.Refused("AUTH_PROVIDERS_FILE", errors.New("publicUrl is missing: the origin at which browsers reach this server"))
	}
	if token.Exposed(s.ProvidersFile) {
		s.log.WarnContext(ctx, "other users of this machine can read the file of providers: chmod o= "+s.ProvidersFile)
	}
	return nil
}

// makeSecret sets the secret for tokens to one of its own if none is set, and the settings allow
// that.
func (s *Server) makeSecret(ctx context.Context) error {
	if !s.MakesSecret() {
		return nil
	}
	path := s.SecretFile()
	if path == "" {
		s.Token.Secret = token.RandomSecret()
		return nil
	}
	secret, made, err := token.MadeSecret(path)
	switch {
	case err != nil:
		return err
	case made:
		s.log.InfoContext(ctx, "a secret was made that tokens are signed with, for development: "+path)
	case token.Exposed(path):
		s.log.WarnContext(ctx, "other users of this machine can read the secret that tokens are signed with: chmod o= "+path)
	}
	s.Token.Secret = secret
	return nil
}

// cursorKey takes the key of cursors from the database, if it is to be kept there. If the database
// does not have it now, the work in the background tries again.
func (s *Server) cursorKey(ctx context.Context, db *database.DB, i *Identity) {
	if !i.kept {
		return
	}
	if err := i.readKey(ctx, db); err != nil {
		s.log.WarnContext(ctx, "cursors are good for this process alone, as their key is not in the database yet; retrying, or set "+
			s.NameOf("CURSOR_SECRET"), "error", database.RedactError(err))
		return
	}
	s.log.InfoContext(ctx, "the key of cursors is kept in the database, for all servers; to keep it elsewhere, set "+s.NameOf("CURSOR_SECRET"))
}

// readKey uses the key of cursors that the database keeps. If it has lost the key, as after a
// failover to a standby that was behind, it gets the one in use again.
func (i *Identity) readKey(ctx context.Context, db *database.DB) error {
	key, err := shared.Key(ctx, db, shared.Cursors, i.key)
	if err == nil && !bytes.Equal(key, i.key) {
		i.key = key
		i.cursors.Use(key)
	}
	return err
}

// keyPause is the pause between two attempts to read a key that is not known.
var keyPause = retry.Backoff{First: 5 * time.Second}

// keepKey reads the key of cursors again and again until ctx ends.
func (i *Identity) keepKey(ctx context.Context, db *database.DB, log *slog.Logger) {
	if !i.kept {
		return
	}
	for pause := keyPause; pause.Wait(ctx, 1) == nil; {
		known := i.key != nil
		switch err := i.readKey(ctx, db); {
		case err == nil && !known:
			log.InfoContext(ctx, "the key of cursors is kept in the database now")
			fallthrough
		case known:
			pause.First = time.Minute
		}
	}
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
