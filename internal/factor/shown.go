package factor

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/credential"
)

// PasskeysOf returns the passkeys of each account, the oldest first, without their data. It reads
// all with one statement, whoever the viewer is.
func PasskeysOf(ctx context.Context, accounts []uuid.UUID) (map[uuid.UUID][]*ent.Credential, error) {
	rows, err := ent.FromUnit(ctx).Credential.Query().
		Where(credential.UserIDIn(accounts...), credential.Kind(kindPasskey)).
		Order(ent.Asc(credential.FieldCreatedAt, credential.FieldID)).
		Select(credential.FieldUserID, credential.FieldName, credential.FieldCreatedAt, credential.FieldLastUsedAt).
		All(system(ctx))
	if err != nil {
		return nil, fmt.Errorf("look for passkeys: %w", err)
	}
	found := map[uuid.UUID][]*ent.Credential{}
	for _, row := range rows {
		found[row.UserID] = append(found[row.UserID], row)
	}
	return found, nil
}

// WithTOTP returns which of the accounts have an authenticator app that is set up. It reads all
// with one statement, whoever the viewer is.
func WithTOTP(ctx context.Context, accounts []uuid.UUID) (map[uuid.UUID]bool, error) {
	rows, err := ent.FromUnit(ctx).Credential.Query().
		Where(credential.UserIDIn(accounts...), credential.Kind(kindTOTP), credential.ConfirmedAtNotNil()).
		Select(credential.FieldUserID).All(system(ctx))
	if err != nil {
		return nil, fmt.Errorf("look for authenticator apps: %w", err)
	}
	found := map[uuid.UUID]bool{}
	for _, row := range rows {
		found[row.UserID] = true
	}
	return found, nil
}
