package migrate

// The tests are outside of the package, since they use dbtest, which uses the
// package. These take files and tables other than the binary's own.
var (
	UpFiles    = up
	DownFiles  = down
	DiffTables = diff
	PrintFiles = printSQL
)
