// Package demo describes data to try an application with.
package demo

import (
	"context"
	"errors"

	"forge/internal/database"
)

// Data are the demo data of an application, at any scale from 1 to MaxScale.
type Data struct {
	Scale    int // of a server's first start
	MaxScale int
	About    string // says what one step of the scale adds, for --help
	// Fill stores the data of a scale in an empty database. With passwords, the demo accounts have
	// theirs. It returns ErrNotEmpty, and stores nothing, if the database has rows.
	Fill func(ctx context.Context, db *database.DB, scale int, passwords bool) error
	// Usable returns the demo accounts of a database that anybody can sign in with.
	Usable func(context.Context, *database.DB) ([]Account, error)
}

// An Account is a demo account: everybody knows its password.
type Account struct{ Username, Password, Role string }

// ErrNotEmpty is the error for a database that has rows: demo data never mix with what somebody
// stored.
var ErrNotEmpty = errors.New("the database is not empty: demo data are only for an empty one")
