//go:build race

package api_test

// slowed is how much slower and larger the race detector makes code at most.
const slowed = 5
