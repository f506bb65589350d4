package server

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"forge/internal/application"
	"forge/internal/blob"
	"forge/internal/clientip"
	"forge/internal/database"
	"forge/internal/file"
	"forge/internal/shared"
	"forge/internal/upload"
)

// newUploads returns the files of the database. It returns nil if this server keeps none.
func (s *Server) newUploads(db *database.DB) *upload.Uploads {
	if s.files == nil {
		return nil
	}
	u := &upload.Uploads{Files: s.files, DB: db, Entities: s.app.API(application.Services{}).Entities, Log: s.log,
		MaxAccountBytes: int64(s.Files.MaxAccountBytes)}
	if s.MaxInFlight > 0 {
		// Other operations have places even if all of these wait for the storage, or for large
		// pictures.
		u.Looking = make(chan struct{}, (s.MaxInFlight+1)/2)
	}
	return u
}

// setFiles makes the service that keeps files, unless the setting FILES_URL is none. It does not
// connect to anything but the database. It returns an error if the setting is wrong.
func (s *Server) setFiles(ctx context.Context, db *database.DB, identity *Identity) error {
	if s.Files.URL == "" {
		return nil
	}
	storage, err := blob.Open(s.Files.URL)
	if err != nil {
		return s.Refused("FILES_URL", err)
	}
	s.files = file.New(file.Options{
		Storage: storage, Key: s.fileKey(ctx, db, identity), Origin: s.Files.Origin,
		MaxBytes: int64(s.Files.MaxBytes), MaxPixels: int64(s.Files.MaxPixels), Transfers: s.Files.Transfers, Log: s.log,
		Client:  s.network,
		Awaited: func(ctx context.Context, all []uuid.UUID) ([]uuid.UUID, error) { return s.uploads.Awaited(ctx, all) },
	})
	return nil
}

// network returns the network that a request is from, or "" if that is not known.
func (s *Server) network(r *http.Request) string {
	n := clientip.Network(clientip.Address(clientip.NewContext(r.Context(), r), s.TrustedProxies))
	if !n.IsValid() {
		return ""
	}
	return n.String()
}

// fileKey returns the key that addresses of files are signed with: that of the settings, or one
// that the database keeps.
func (s *Server) fileKey(ctx context.Context, db *database.DB, identity *Identity) []byte {
	if identity.files != nil {
		return identity.files
	}
	key, err := shared.Key(ctx, db, shared.Files, nil)
	if err == nil {
		return key
	}
	s.log.WarnContext(ctx, "addresses of files are good for this process alone, as their key is not in the database; start again, or set "+
		s.NameOf("AUTH_SECRET"), "error", database.RedactError(err))
	key = make([]byte, 32)
	rand.Read(key) // never fails
	return key
}

// fileOrigins returns the other origins that pages send files to and load files from, with blanks
// between them.
func (s *Server) fileOrigins() string {
	if s.files == nil {
		return ""
	}
	return strings.TrimSpace(s.Files.Origin + " " + s.files.UploadOrigin())
}
