package rows

import (
	"database/sql/driver"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"forge/internal/entity"
	"forge/internal/read/binding"
)

// Table holds the rows of a statement in one piece of memory, as they will be written: keys as
// their 16 bytes, and everything else as text.
type Table struct {
	Width int
	Data  []byte
	Ends  []int32 // where each cell ends, row by row; the complement of it for a NULL
}

func (t *Table) Len() int {
	if t.Width == 0 {
		return 0
	}
	return len(t.Ends) / t.Width
}

// Cell returns a value, or that it is NULL. The value is valid for as long as the table is.
func (t *Table) Cell(row, column int) (value []byte, null bool) {
	i := row*t.Width + column
	end := t.Ends[i]
	if end < 0 {
		return nil, true
	}
	start := int32(0)
	if i > 0 {
		if start = t.Ends[i-1]; start < 0 {
			start = ^start
		}
	}
	return t.Data[start:end], false
}

// Key returns a value of a column of keys, or that it is NULL.
func (t *Table) Key(row, column int) (key uuid.UUID, null bool) {
	value, null := t.Cell(row, column)
	copy(key[:], value)
	return key, null
}

// Add appends a row, whose values begin with those of the columns.
func (t *Table) Add(values []driver.Value, columns []binding.Column) error {
	for i := range columns {
		if values[i] == nil {
			t.Ends = append(t.Ends, ^int32(len(t.Data)))
			continue
		}
		if err := t.append(values[i], columns[i].Kind); err != nil {
			return fmt.Errorf("column %s: %w", columns[i].Name, err)
		}
		t.Ends = append(t.Ends, int32(len(t.Data)))
	}
	return nil
}

// append appends a value of any type: the encoder checks whether it is one of the column's kind. A
// key must be one, as related rows are found by it.
func (t *Table) append(value driver.Value, kind entity.Kind) error {
	switch v := value.(type) {
	case []byte:
		return t.appendBytes(v, kind)
	case *[]byte:
		return t.appendBytes(*v, kind)
	}
	if kind == entity.ID {
		return fmt.Errorf("a key of type %T", value)
	}
	switch v := value.(type) {
	case string:
		t.Data = append(t.Data, v...)
	case int64:
		t.Data = strconv.AppendInt(t.Data, v, 10)
	case float64: // SQLite may hold one in a column of any type
		t.Data = strconv.AppendFloat(t.Data, v, 'g', -1, 64)
	case bool:
		t.Data = strconv.AppendBool(t.Data, v)
	case time.Time:
		t.Data = v.AppendFormat(t.Data, time.RFC3339Nano)
	default:
		return fmt.Errorf("a value of type %T", value)
	}
	return nil
}

func (t *Table) appendBytes(b []byte, kind entity.Kind) error {
	if kind == entity.ID && len(b) != len(uuid.UUID{}) {
		return fmt.Errorf("a key of %d bytes", len(b))
	}
	t.Data = append(t.Data, b...)
	return nil
}
