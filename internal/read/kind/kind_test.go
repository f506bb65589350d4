package kind

import (
	"strings"
	"testing"

	"entgo.io/ent/dialect"

	"forge/internal/entity"
	"forge/internal/ids"
)

// examples holds, for each kind but keys, a value of a where input.
var examples = map[entity.Kind]any{
	entity.String: "x", entity.Int: 1, entity.Bool: true, entity.Time: "2026-01-02T15:04:05Z", entity.Enum: "ROCK", entity.UUID: "01890a5d-ac96-774b-bcce-b302099a8057",
	entity.BigInt: "9007199254740993", entity.Float: 1.5, entity.Float32: 0.1, entity.Decimal: "12.50", entity.Date: "2026-01-02", entity.LocalTime: "15:04:05",
	entity.Duration: "PT1H", entity.Bytes: "AA==", entity.JSON: map[string]any{"a": int64(1)}, entity.List: "x",
}

// mustBeStored fails the test unless it is known how both databases store a kind.
func mustBeStored(t *testing.T, k *Kind) {
	t.Helper()
	if k.SQL == "" || len(k.Stored[dialect.Postgres]) == 0 || len(k.Stored[dialect.SQLite]) == 0 || k.Convert != "" && strings.Count(k.Convert, "%s") != 1 {
		t.Errorf("a kind lacks something: %+v", k)
	}
}

// TestKinds checks that each row of the table has all that its kind needs.
func TestKinds(t *testing.T) {
	t.Parallel()
	for of := entity.ID; of < entity.Other; of++ {
		k, ok := Of(of)
		if !ok {
			t.Errorf("kind %d cannot be read", of)
			continue
		}
		f := &entity.Field{Kind: of, Elem: entity.String, Values: []string{"ROCK"}}
		if k.Types == "" || len(k.Operators) < 2 || k.Scalar(f) == "" != (of == entity.Enum) {
			t.Errorf("kind %d lacks something: %+v", of, k)
		}
		if of == entity.ID {
			for form := ids.UUID; form <= ids.Text; form++ {
				mustBeStored(t, OfKey(form))
			}
			continue
		}
		mustBeStored(t, k)
		if k.Write == nil || (k.Place != nil) != k.Orders {
			t.Errorf("kind %d orders pages: %t, and lacks a function", of, k.Orders)
		}
		if _, err := k.Argument(f, examples[of]); err != nil {
			t.Errorf("kind %d: %v", of, err)
		}
		for _, value := range []any{nil, []any{}, struct{}{}, "\x00", "a\xff"} {
			if got, err := k.Argument(f, value); err == nil && (of != entity.JSON || value == "\x00") && of != entity.Bytes {
				t.Errorf("kind %d takes %#v for %v", of, value, got)
			}
		}
	}
	if _, ok := Of(entity.Other); ok {
		t.Error("a column of any form can be read")
	}
}
