// Package uuidgql has the type of all keys: a UUID that is stored as 16 bytes, as Forge does it.
package uuidgql

import (
	"database/sql/driver"
	"fmt"
	"io"
	"strconv"

	"github.com/google/uuid"
)

// UUID is a UUID of version 7.
type UUID uuid.UUID

// New returns a UUID that sorts after all earlier ones.
func New() UUID { return UUID(uuid.Must(uuid.NewV7())) }

// String returns the UUID in the form with hyphens.
func (u UUID) String() string { return uuid.UUID(u).String() }

// Value returns the 16 bytes of the UUID for the database.
func (u UUID) Value() (driver.Value, error) { return u[:], nil }

// Scan reads a UUID from the database: its 16 bytes, or the form with hyphens.
func (u *UUID) Scan(src any) error { return (*uuid.UUID)(u).Scan(src) }

// MarshalGQL writes the UUID in the form with hyphens.
func (u UUID) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(u.String())) }

// UnmarshalGQL parses a UUID in the form with hyphens. It returns an error if v is not a UUID.
func (u *UUID) UnmarshalGQL(v any) error {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("%T is no ID", v)
	}
	parsed, err := uuid.Parse(s)
	*u = UUID(parsed)
	return err
}
