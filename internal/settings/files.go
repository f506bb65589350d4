package settings

import (
	"net/url"

	"forge/internal/blob"
	"forge/internal/database"
)

// Files says where files are kept, and what they may be.
type Files struct {
	URL       string // a folder, or what blob.NewS3 takes; "" for none
	Origin    string // "" for none
	MaxBytes  int    // of a file
	MaxPixels int    // of a picture
	Transfers int    // files that are sent and received at once

	MaxAccountBytes int // of all files that an account has uploaded; 0 for no limit
}

// defaultFiles returns a folder beside the file of a SQLite database that may be written.
func defaultFiles(s *Settings) string {
	path, mode, ok := database.SQLiteFile(s.DatabaseURL)
	if !ok || mode == "ro" {
		return off
	}
	return path + "-files"
}

// setFiles sets where files are kept. The error does not show it.
func setFiles(s *Settings, value string) error {
	if value == off {
		s.Files.URL = ""
		return nil
	}
	if _, err := blob.Open(value); err != nil {
		return err
	}
	s.Files.URL = value
	return nil
}

func setFilesOrigin(s *Settings, value string) error {
	if value == off {
		s.Files.Origin = ""
		return nil
	}
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || value != u.Scheme+"://"+u.Host || u.Scheme != "https" && (u.Scheme != "http" || !isLoopbackHost(u.Hostname())) {
		return errNotAllowed
	}
	s.Files.Origin = value
	return nil
}
