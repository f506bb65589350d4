package read

import (
	"database/sql"
	"fmt"

	"github.com/google/uuid"

	"forge/internal/entity"
)

// table holds the rows of a statement as the database sent them, in one piece of memory: texts and numbers as they are
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

// read appends all rows. The statement has exactly the columns, in their order.
func (t *table) read(rows *sql.Rows, columns []column) error {
	t.width = len(columns)
	raw := make([]sql.RawBytes, t.width)
	into := make([]any, t.width)
	for i := range raw {
		into[i] = &raw[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i, value := range raw {
			if err := t.append(value, columns[i].kind); err != nil {
				return fmt.Errorf("column %s: %w", columns[i].name, err)
			}
		}
	}
	return rows.Err()
}

func (t *table) append(value []byte, kind entity.Kind) error {
	if value == nil {
		t.ends = append(t.ends, ^int32(len(t.data)))
		return nil
	}
	if kind == entity.ID && len(value) != len(uuid.UUID{}) {
		key, err := uuid.ParseBytes(value)
		if err != nil {
			return err
		}
		value = key[:]
	}
	t.data = append(t.data, value...)
	t.ends = append(t.ends, int32(len(t.data)))
	return nil
}
