//go:build !unix

package database

// alive reports true: here only the next statement tells.
func (s *socket) alive() bool { return true }
