package doctor

import (
	"strings"
	"testing"
)

// TestContractIsParsed checks that a schema with a mistake fails, though the code that was generated
// from an older one is right.
func TestContractIsParsed(t *testing.T) {
	t.Parallel()
	d := newDoctor(t)
	d.app.SDL = "type Query {"
	found := d.contract(t.Context(), nil)
	if len(found) != 1 || found[0].State != Fail || !strings.Contains(found[0].Message, "schema.graphqls:1") {
		t.Errorf("%+v", found)
	}
}
