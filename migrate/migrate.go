// Package migrate holds the versioned SQL that takes a database from one version of the schema to the
// next, in a directory for each kind of database. Package internal/migrator runs the files.
package migrate

import "embed"

// Files are the migration files that this binary was built with: postgres/*.sql and sqlite/*.sql.
//
//go:embed postgres sqlite
var Files embed.FS
