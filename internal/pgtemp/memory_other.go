//go:build unix && !linux

package pgtemp

// memoryDirs returns nil: only Linux has such a directory by default.
func memoryDirs() []string { return nil }
