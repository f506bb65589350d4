// Package demo describes the demo data of an application.
package demo

import (
	"context"
	"errors"

	"forge/internal/database"
)

// Data describes demo data, which can be made at any scale from 1 to MaxScale.
type Data struct {
	Scale    int // the scale with which a server fills an empty database
	MaxScale int
	About    string // says what each step of the scale adds, for --help
	// Fill stores the data of a scale in an empty database. With passwords, the demo accounts get
	// their passwords. If the database has rows, Fill returns ErrNotEmpty and stores nothing.
	Fill func(ctx context.Context, db *database.DB, scale int, passwords bool) error
	// Usable returns the demo accounts in the database that still have the passwords everybody
	// knows.
	Usable func(context.Context, *database.DB) ([]Account, error)
}

// An Account is a demo account. Everybody knows its password.
type Account struct{ Username, Password, Role string }

// ErrNotEmpty means that the database has rows. Demo data are not mixed with what somebody has
// stored.
var ErrNotEmpty = errors.New("the database is not empty: demo data are only for an empty one")
