package telemetry

import (
	"fmt"
	"runtime"
)

// Panic returns what is told of the value of a panic: what Go's runtime found, or else its type alone, since others may put into it what
// was sent. The stack tells the rest.
func Panic(value any) string {
	if err, ok := value.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("of type %T", value)
}
