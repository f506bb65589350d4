package viewer

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// TestParseRole parses the name of each role.
func TestParseRole(t *testing.T) {
	t.Parallel()
	for _, name := range RoleNames() {
		for _, spelling := range []string{name, strings.ToLower(name)} {
			if role, ok := ParseRole(spelling); !ok || role.String() != name || role == Anonymous {
				t.Errorf("%s is %v, %t", spelling, role, ok)
			}
		}
	}
	for _, name := range []string{"", "ADMINISTRATOR", Anonymous.String()} {
		if role, ok := ParseRole(name); ok || role != Anonymous {
			t.Errorf("%q is %v, want none", name, role)
		}
	}
}

func TestBecome(t *testing.T) {
	t.Parallel()
	ada := Viewer{ID: uuid.New(), Role: User, Issued: time.Now()}
	fixed := NewContext(t.Context(), Viewer{Role: Admin})
	if Become(fixed, ada); FromContext(fixed) != (Viewer{Role: Admin}) {
		t.Error("a context that is not switchable has another viewer")
	}
	open := Switchable(fixed)
	below := NewContext(open, System)
	if got := FromContext(open); got != (Viewer{Role: Admin}) {
		t.Errorf("before: %v, want the viewer of the context above", got)
	}
	Become(below, ada)
	if got := FromContext(open); got != ada {
		t.Errorf("after: %v, want %v", got, ada)
	}
	if FromContext(below) != System || FromContext(fixed) != (Viewer{Role: Admin}) {
		t.Error("others have changed as well")
	}
}
