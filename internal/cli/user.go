package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"forge/internal/application"
	"forge/internal/bootstrap"
	"forge/internal/database"
	"forge/internal/usage"
	"forge/internal/viewer"
)

// userCommand returns the command that gives a role to a user. The API does not allow anybody to do
// so: it takes access to the database.
func userCommand(do runner) *cli.Command {
	return &cli.Command{
		Name: "user", Usage: "change users", Action: usage.NeedsCommand,
		Commands: []*cli.Command{{
			Name: "role", Action: do(setRole),
			Usage: "make a user an administrator, or one no longer; it is how the first one comes to be, who has signed up before",
			Flags: []cli.Flag{
				&cli.StringFlag{Name: "username", Local: true, Required: true, Usage: "whose role; required"},
				&cli.StringFlag{Name: "role", Local: true, Required: true, Usage: roleNames() + "; required"},
			},
		}},
	}
}

func setRole(ctx context.Context, p program) error {
	name := p.cmd.String("username")
	role, ok := viewer.ParseRole(p.cmd.String("role"))
	if !ok {
		return usage.Errorf("--role=%q is not allowed; allowed: %s", p.cmd.String("role"), roleNames())
	}
	return p.withDatabase(ctx, bootstrap.OpenExisting, func(db *database.DB) error {
		err := p.app.SetRole(ctx, db, name, role)
		if errors.Is(err, application.ErrNoAccount) {
			return fmt.Errorf("there is no user %q", name)
		}
		if err != nil {
			return fmt.Errorf("give %q another role: %w", name, err)
		}
		_, err = fmt.Fprintf(p.out, "%s has the role %s, and has to sign in again\n", name, role)
		return err
	})
}

// roleNames lists the roles that a user may have, the highest first.
func roleNames() string {
	names := viewer.RoleNames()
	slices.Reverse(names)
	return strings.Join(names, " or ")
}
