// Package uuidgql has the type of all keys: a UUID that the database gets as its 16 bytes, which is how Forge stores it.
package uuidgql

import (
	"database/sql/driver"
	"fmt"
	"io"
	"strconv"

	"github.com/google/uuid"
)

// UUID is one of version 7.
type UUID uuid.UUID

// New returns one that sorts behind those before.
func New() UUID { return UUID(uuid.Must(uuid.NewV7())) }

// String returns the form with hyphens.
func (u UUID) String() string { return uuid.UUID(u).String() }

// Value returns the bytes.
func (u UUID) Value() (driver.Value, error) { return u[:], nil }

// Scan takes the bytes, or the form with hyphens.
func (u *UUID) Scan(src any) error { return (*uuid.UUID)(u).Scan(src) }

// MarshalGQL writes the form with hyphens.
func (u UUID) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(u.String())) }

// UnmarshalGQL takes it.
func (u *UUID) UnmarshalGQL(v any) error {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("%T is no ID", v)
	}
	parsed, err := uuid.Parse(s)
	*u = UUID(parsed)
	return err
}
