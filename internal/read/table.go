package read

import (
	"database/sql/driver"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"forge/internal/entity"
)

// table holds the rows of a statement as they are to be written, in one piece of memory: texts and numbers as they are
// written, keys as their 16 bytes.
type table struct {
	width int
	data  []byte
	ends  []int32 // where each cell ends, row by row; the complement of it for a NULL
}

func (t *table) len() int {
	if t.width == 0 {
		return 0
	}
	return len(t.ends) / t.width
}

// cell returns a value, which stays valid for as long as the table does, or that it is NULL.
func (t *table) cell(row, column int) (value []byte, null bool) {
	i := row*t.width + column
	end := t.ends[i]
	if end < 0 {
		return nil, true
	}
	start := int32(0)
	if i > 0 {
		if start = t.ends[i-1]; start < 0 {
			start = ^start
		}
	}
	return t.data[start:end], false
}

// key returns a value of a column of keys, or that it is NULL.
func (t *table) key(row, column int) (key uuid.UUID, null bool) {
	value, null := t.cell(row, column)
	copy(key[:], value)
	return key, null
}

// add appends a row, whose values begin with those of the columns.
func (t *table) add(values []driver.Value, columns []column) error {
	for i := range columns {
		if values[i] == nil {
			t.ends = append(t.ends, ^int32(len(t.data)))
			continue
		}
		if err := t.append(values[i], columns[i].kind); err != nil {
			return fmt.Errorf("column %s: %w", columns[i].name, err)
		}
		t.ends = append(t.ends, int32(len(t.data)))
	}
	return nil
}

// append writes a value behind the others, whatever it is: the writer looks at whether it is one of the column's kind. A key has to be
// one, as related rows are found by it.
func (t *table) append(value driver.Value, kind entity.Kind) error {
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
		t.data = append(t.data, v...)
	case int64:
		t.data = strconv.AppendInt(t.data, v, 10)
	case float64: // SQLite may hold one in a column of any type
		t.data = strconv.AppendFloat(t.data, v, 'g', -1, 64)
	case bool:
		t.data = strconv.AppendBool(t.data, v)
	case time.Time:
		t.data = v.AppendFormat(t.data, time.RFC3339Nano)
	default:
		return fmt.Errorf("a value of type %T", value)
	}
	return nil
}

func (t *table) appendBytes(b []byte, kind entity.Kind) error {
	if kind == entity.ID && len(b) != len(uuid.UUID{}) {
		return fmt.Errorf("a key of %d bytes", len(b))
	}
	t.data = append(t.data, b...)
	return nil
}
