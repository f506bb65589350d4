//go:build !race

package api_test

// slowed is 1 without the race detector.
const slowed = 1
