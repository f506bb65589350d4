//go:build !linux && !darwin && !freebsd

package blob

import "errors"

func freeBytes(string) (uint64, error) { return 0, errors.ErrUnsupported }
