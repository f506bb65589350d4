// Package uuidgql has the type of all keys: a UUID that is stored as 16 bytes, as Forge does.
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

// String returns the form with hyphens.
func (u UUID) String() string { return uuid.UUID(u).String() }

// Value returns the 16 bytes.
func (u UUID) Value() (driver.Value, error) { return u[:], nil }

// Scan accepts the 16 bytes, or the form with hyphens.
func (u *UUID) Scan(src any) error { return (*uuid.UUID)(u).Scan(src) }

// MarshalGQL writes the form with hyphens.
func (u UUID) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(u.String())) }

// UnmarshalGQL reads the form with hyphens.
func (u *UUID) UnmarshalGQL(v any) error {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("%T is no ID", v)
	}
	parsed, err := uuid.Parse(s)
	*u = UUID(parsed)
	return err
}
