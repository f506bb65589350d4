//go:build race

package graph

// Slowed is by how much the race detector makes code slower and larger, at most.
const Slowed = 5
