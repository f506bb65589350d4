package seed

import (
	"context"
	stdsql "database/sql"
	"fmt"
	"slices"

	"entgo.io/ent/dialect/sql"

	"forge/ent/user"
	"forge/internal/database"
	"forge/internal/demo"
	"forge/internal/unit"
)

// Usable returns the accounts that anybody can sign in with: they exist, are active, and still have
// the passwords of the demo data. It leaves out an account whose password has been hashed again at
// another cost.
func Usable(ctx context.Context, db *database.DB) ([]demo.Account, error) {
	u := unit.New(db, unit.Single)
	defer u.Rollback()
	var usable []demo.Account
	each := func(rows *stdsql.Rows) error {
		for rows.Next() {
			var username, hash string
			if err := rows.Scan(&username, &hash); err != nil {
				return err
			}
			for i, a := range Accounts {
				if a.Username == username && hashes[i] == hash {
					usable = append(usable, a)
				}
			}
		}
		return rows.Err()
	}
	statement, args := sql.Dialect(u.Dialect()).Select(user.FieldUsername, user.FieldHashedPassword).From(sql.Table(user.Table)).
		Where(sql.And(sql.In(user.FieldUsername, Accounts[0].Username, Accounts[1].Username), sql.NotNull(user.FieldHashedPassword), sql.IsNull(user.FieldDeletedAt), sql.EQ(user.FieldIsActive, true))).Query()
	if err := u.Rows(ctx, each, statement, args...); err != nil {
		return nil, fmt.Errorf("look for the demo users: %w", err)
	}
	slices.SortFunc(usable, func(a, b demo.Account) int { return slices.Index(Accounts, a) - slices.Index(Accounts, b) })
	return usable, nil
}
