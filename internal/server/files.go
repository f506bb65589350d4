package server

import (
	"forge/internal/application"
	"forge/internal/database"
	"forge/internal/upload"
)

// newUploads returns the files of the database. It returns nil if this server keeps none.
func (s *Server) newUploads(db *database.DB) *upload.Uploads {
	if s.files == nil {
		return nil
	}
	return &upload.Uploads{Files: s.files, DB: db, Entities: s.app.API(application.Services{}).Entities, Log: s.log}
}
