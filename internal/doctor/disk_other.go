//go:build !linux && !darwin && !freebsd

package doctor

import "errors"

func freeBytes(string) (uint64, error) { return 0, errors.ErrUnsupported }

// writable returns true: on this system only a write can tell, and the first start of the server
// does that.
func writable(string) bool { return true }
