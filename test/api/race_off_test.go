//go:build !race

package api_test

// Slowed is 1 without the race detector.
const Slowed = 1
