package database

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/uuid"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	some := uuid.MustParse("018f2b6c-0000-7abc-8def-0123456789ab")
	for _, tt := range []struct {
		keys  []uuid.UUID
		array string // in hexadecimal
		list  string
	}{
		{[]uuid.UUID{some}, "00000001 00000000 00000b86 00000001 00000001 00000010 018f2b6c00007abc8def0123456789ab",
			`["018f2b6c00007abc8def0123456789ab"]`},
		{[]uuid.UUID{{}, uuid.Max}, "00000001 00000000 00000b86 00000002 00000001 00000010" + strings.Repeat("0", 32) + "00000010" + strings.Repeat("f", 32),
			`["` + strings.Repeat("0", 32) + `","` + strings.Repeat("f", 32) + `"]`},
	} {
		if got := hex.EncodeToString(uuidArray(tt.keys)); got != strings.ReplaceAll(tt.array, " ", "") {
			t.Errorf("uuidArray(%v) = %s, want %s", tt.keys, got, tt.array)
		}
		if got := hexList(tt.keys); got != tt.list {
			t.Errorf("hexList(%v) = %s, want %s", tt.keys, got, tt.list)
		}
	}
}
