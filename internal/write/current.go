package write

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"time"

	"github.com/shopspring/decimal"

	"forge/internal/apperr"
	"forge/internal/entity"
	"forge/internal/rule"
)

// maxCurrent is how many bytes of values an error about another version has.
const maxCurrent = 16 << 10

// withCurrent returns the error of an update. If it says that the row has another version than the
// client expected, it gets the fields of the input whose present values are other ones, as far as
// the viewer may see them. Values that do not fit into maxCurrent are left out.
func (w *Write) withCurrent(ctx context.Context, err error, rows Reader) error {
	fault, ok := errors.AsType[*apperr.Error](err)
	if !ok || fault.More["currentVersion"] == nil {
		return err
	}
	var names []string
	for i, f := range w.of.fields {
		if w.values[i].given && f.key() != "" {
			names = append(names, f.name)
		}
	}
	current, size := map[string]json.RawMessage{}, 0
	found := rows.Row(ctx, w.of.entity, w.ID, names)
	for i, f := range w.of.fields {
		value, there := found[f.name]
		if !there || string(value) == "null" && f.visible(w.of.entity) != entity.ToAll || f.same(value, w.values[i].any) {
			continue // a null may stand for what the viewer may not see
		}
		if n := len(f.name) + len(value); size+n <= maxCurrent {
			current[f.name], size = value, size+n
		}
	}
	if len(current) == 0 {
		return err
	}
	with := *fault
	with.More = maps.Clone(fault.More)
	with.More["current"] = current
	return &with
}

// visible returns who may see what the field sets.
func (f *field) visible(e *entity.Entity) entity.Visibility {
	if f.edge != nil {
		return rule.Visible(e, f.edge.Name)
	}
	return rule.Visible(e, f.name)
}

// same reports whether a value of the API is the one that an input sets.
func (f *field) same(shown json.RawMessage, set any) bool {
	d := json.NewDecoder(bytes.NewReader(shown))
	d.UseNumber()
	var sent any
	if d.Decode(&sent) != nil || sent == nil || set == nil {
		return sent == nil && set == nil
	}
	value, err := f.decode(sent)
	if err != nil {
		return false
	}
	switch value := value.(type) {
	case decimal.Decimal:
		other, ok := set.(decimal.Decimal)
		return ok && value.Equal(other)
	case time.Time:
		other, ok := set.(time.Time)
		return ok && value.Equal(other)
	}
	return reflect.DeepEqual(value, set)
}
