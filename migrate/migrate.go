// Package migrate holds the SQL files that change a database from one version of the schema to the
// next, in a directory for each kind of database. Package internal/migrator runs the files.
package migrate

import "embed"

// Files are the migration files of this program: postgres/*.sql and sqlite/*.sql.
//
//go:embed postgres sqlite
var Files embed.FS
