package plan

import (
	"testing"

	"forge/internal/entity"
	"forge/internal/read/binding"
)

// TestOutputOf checks that there are outputs for all kinds that the engine can read, and for no
// others.
func TestOutputOf(t *testing.T) {
	t.Parallel()
	for of := entity.ID; of <= entity.Other; of++ {
		if _, held := binding.KindOf(of); held != (OutputOf(of) != Unknown) {
			t.Errorf("kind %d is held: %t, and written: %d", of, held, OutputOf(of))
		}
	}
}
