package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/urfave/cli/v3"

	"forge/ent"
	"forge/ent/user"
	"forge/internal/bootstrap"
	"forge/internal/database"
	"forge/internal/session"
	"forge/internal/unit"
	"forge/internal/usage"
	"forge/internal/viewer"
)

// userCommand does what the API lets nobody do: a role is given by whoever has the database.
func userCommand(do func(action) cli.ActionFunc) *cli.Command {
	return &cli.Command{
		Name: "user", Usage: "change users", Action: usage.NeedsCommand,
		Commands: []*cli.Command{{
			Name: "role", Action: do(changeRole),
			Usage: "make a user an administrator, or one no longer; it is how the first one comes to be, who has signed up before",
			Flags: []cli.Flag{
				&cli.StringFlag{Name: "username", Local: true, Required: true, Usage: "whose role"},
				&cli.StringFlag{Name: "role", Local: true, Required: true, Usage: "ADMIN or USER"},
			},
		}},
	}
}

// changeRole gives a user a role. What tokens say of it is true no longer then: they are ended.
func changeRole(ctx context.Context, p program) error {
	name, role := p.cmd.String("username"), user.Role(strings.ToUpper(p.cmd.String("role")))
	if err := user.RoleValidator(role); err != nil {
		return usage.Errorf("--role=%q is not allowed; allowed: %s or %s", p.cmd.String("role"), user.RoleADMIN, user.RoleUSER)
	}
	return p.withDatabase(ctx, bootstrap.OpenExisting, func(db *database.DB) error {
		u := unit.New(db, unit.Write)
		defer u.Rollback()
		ctx := viewer.NewContext(unit.NewContext(ctx, u), viewer.System)
		found, err := ent.UnitClient(u).User.Query().Where(user.Username(name)).Select(user.FieldID).Only(ctx)
		if ent.IsNotFound(err) {
			return fmt.Errorf("there is no user %q", name)
		}
		if err != nil {
			return fmt.Errorf("look for the user %q: %w", name, err)
		}
		at, err := session.Stamp(ctx, found.ID)
		if err != nil {
			return err
		}
		if err := ent.UnitClient(u).User.UpdateOneID(found.ID).SetRole(role).SetTokensValidAfter(at).Exec(ctx); err != nil {
			return fmt.Errorf("give %q another role: %w", name, err)
		}
		if err := session.End(ctx, ent.UnitClient(u), found.ID); err != nil {
			return err
		}
		if err := u.Commit(ctx); err != nil {
			return err
		}
		fmt.Fprintf(p.out, "%s has the role %s, and has to sign in again\n", name, role)
		return nil
	})
}
