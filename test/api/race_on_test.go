//go:build race

package api_test

// Slowed is by how much the race detector makes code slower and larger, at most.
const Slowed = 5
