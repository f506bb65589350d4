package account

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"forge/internal/apperr"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/rule"
	"forge/internal/unit"
)

// MostExported is how many rows Export returns at most.
const MostExported = 10_000

// Export returns the viewer's data as JSON: the account, and the rows that it owns, by the names of
// their types, with the columns that the viewer may see. The rows are read under the viewer's
// rules. The files that it has uploaded are among them, with addresses. If they are more than
// MostExported, or have more than ExportBytes, the rest is left out, and "complete" is false.
func (s *Service) Export(ctx context.Context) (string, error) {
	if s == nil {
		return "", s.offers("")
	}
	a, err := s.signedIn(ctx)
	if err != nil {
		return "", err
	}
	if err := s.Narrow.Count(ctx, "export", a.ID.String()); err != nil {
		if f, ok := errors.AsType[*apperr.Error](err); ok {
			f.Message = "the data was exported too often; try again later"
		}
		return "", err
	}
	at, err := now(ctx)
	if err != nil {
		return "", err
	}
	account := entity.Account(s.Entities)
	if account == nil {
		return "", errors.New("no entity has the column erase_at")
	}
	rows, left, bytes := map[string][]json.RawMessage{}, MostExported, s.ExportBytes
	for _, e := range append([]owned{{account, nil, keyOf(account)}}, ownedBy(account, s.Entities)...) {
		found, err := s.rows(ctx, e, a.ID, left+1, &bytes)
		if err != nil {
			return "", fmt.Errorf("export %s: %w", e.Name, err)
		}
		switch {
		case bytes < 0:
			left = -1
		case len(found) > left:
			found, left = found[:left], -1
		}
		if len(found) > 0 {
			rows[e.Name] = found
		}
		if left < 0 {
			break
		}
		left -= len(found)
	}
	if s.Uploaded != nil && left > 0 {
		files, err := s.Uploaded(ctx, a.ID, left+1)
		if err != nil {
			return "", err
		}
		for len(files) > 0 && left >= 0 {
			if left--; left < 0 || bytes < len(files[0]) {
				left = -1
				break
			}
			bytes -= len(files[0])
			rows["File"], files = append(rows["File"], files[0]), files[1:]
		}
	}
	text, err := json.Marshal(map[string]any{"exportedAt": at.Format(time.RFC3339), "complete": left >= 0, "rows": rows})
	return string(text), err
}

// rows returns the rows of an entity that belong to an account, with the columns that their owner
// may see. It returns limit rows at most, and takes their bytes off bytes. It ends before the
// row that makes bytes negative.
func (s *Service) rows(ctx context.Context, e owned, id uuid.UUID, limit int, bytes *int) (found []json.RawMessage, err error) {
	shown := visible(e.Entity)
	if len(shown) == 0 {
		return nil, nil
	}
	u, statement := unit.FromContext(ctx), unit.Statement{}
	err = s.Query(unit.Capture(ctx, &statement), u, e.Entity, func(q *entsql.Selector) {
		columns := make([]string, len(shown))
		for i, f := range shown {
			columns[i] = q.C(f.Column)
		}
		q.Select(columns...).Where(e.of(id, u.Dialect(), q.C)).OrderBy(q.C(keyOf(e.Entity))).Limit(limit)
	})
	if err != nil {
		return nil, err
	}
	err = u.Rows(ctx, func(rows *sql.Rows) error {
		for *bytes >= 0 && rows.Next() {
			values, into := make([]any, len(shown)), make([]any, len(shown))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				return err
			}
			row := map[string]any{}
			for i, f := range shown {
				row[f.Name] = s.exported(f, values[i])
			}
			text, err := json.Marshal(row)
			if err != nil {
				return err
			}
			if *bytes -= len(text); *bytes >= 0 {
				found = append(found, text)
			}
		}
		return nil
	}, statement.Text, statement.Args...)
	return found, err
}

// visible returns the columns that the owner of a row may see.
func visible(e *entity.Entity) (shown []*entity.Field) {
	for i := range e.Fields {
		f := &e.Fields[i]
		v := rule.Visible(e, f.Name)
		if !f.Sensitive && (v == entity.ToAll || v == entity.ToOwners) {
			shown = append(shown, f)
		}
	}
	return shown
}

// exported returns a value of a column as it stands in JSON.
func (s *Service) exported(f *entity.Field, v any) any {
	if v == nil {
		return nil
	}
	switch f.Kind {
	case entity.ID, entity.UUID:
		return s.exportedKey(f, v)
	case entity.Bool:
		if n, ok := v.(int64); ok {
			return n != 0
		}
	case entity.JSON, entity.List:
		if text := textOf(v); json.Valid([]byte(text)) {
			return json.RawMessage(text)
		}
	case entity.Bytes:
		if b, ok := v.([]byte); ok {
			return base64.StdEncoding.EncodeToString(b)
		}
	case entity.BigInt, entity.Decimal:
		return textOf(v)
	}
	switch v := v.(type) {
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	case []byte:
		return string(v)
	}
	return v
}

// exportedKey returns a key as the API shows it.
func (s *Service) exportedKey(f *entity.Field, v any) any {
	id, err := uuid.Parse(textOf(v))
	if b, ok := v.([]byte); ok && len(b) == 16 {
		id, err = uuid.FromBytes(b)
	}
	if err != nil {
		return textOf(v)
	}
	for _, e := range s.Entities {
		if e.Name == f.Refers && e.Prefix != "" {
			return ids.ID{Prefix: e.Prefix, UUID: id}.String()
		}
	}
	return id.String()
}

func textOf(v any) string {
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	return fmt.Sprint(v)
}
