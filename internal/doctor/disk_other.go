//go:build !linux && !darwin && !freebsd

package doctor

import "errors"

func freeBytes(string) (uint64, error) { return 0, errors.ErrUnsupported }

// writable cannot be told here without writing; the first start of the server tells.
func writable(string) bool { return true }
