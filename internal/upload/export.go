package upload

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"forge/ent"
	entfile "forge/ent/file"
)

// exportedFor is how long the addresses in an export are good.
const exportedFor = 24 * time.Hour

// Exported returns what the export of an account says of the files that the account has uploaded,
// with an address of each. It returns as many as most.
func (u *Uploads) Exported(ctx context.Context, account uuid.UUID, most int) ([]json.RawMessage, error) {
	if u == nil || u.Files == nil {
		return nil, nil
	}
	rows, err := ent.FromUnit(ctx).File.Query().Where(entfile.UserID(account), entfile.StateEQ(entfile.StateStored)).
		Order(ent.Asc(entfile.FieldID)).Limit(most).All(system(ctx))
	if err != nil {
		return nil, fmt.Errorf("export files: %w", err)
	}
	all := make([]json.RawMessage, len(rows))
	for i, row := range rows {
		address, err := u.Files.URL(fileOf(row), exportedFor, nil, "")
		if err != nil {
			return nil, fmt.Errorf("export files: %w", err)
		}
		all[i], err = json.Marshal(map[string]string{"id": row.GlobalID().String(), "name": row.Name, "contentType": row.ContentType,
			"size": strconv.FormatInt(row.Size, 10), "createdAt": row.CreatedAt.UTC().Format(time.RFC3339Nano), "url": address})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}
