//go:build race

package api_test

// slowed is by how much the race detector makes code slower and larger, at most.
const slowed = 5
