//go:build !race

package graph

// Slowed is 1 without the race detector.
const Slowed = 1
