package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v3"

	"forge/internal/apperr"
	"forge/internal/bootstrap"
	"forge/internal/database"
	"forge/internal/ids"
	"forge/internal/server"
	"forge/internal/unit"
	"forge/internal/usage"
	"forge/internal/viewer"
	"forge/internal/webhook"
)

func webhookCommand(do runner) *cli.Command {
	id := func() []cli.Argument { return []cli.Argument{&cli.StringArg{Name: "ID", UsageText: "ID"}} }
	return &cli.Command{
		Name: "webhook", Usage: "change the endpoints that changes are delivered to by POST", Action: usage.NeedsCommand,
		Description: "Servers that run notice it within a second.",
		Commands: []*cli.Command{
			{
				Name: "add", Action: do(addWebhook),
				Usage:     "deliver changes from now on to URL, and print the endpoint's ID and secret; the secret is not shown again",
				Arguments: []cli.Argument{&cli.StringArg{Name: "URL", UsageText: "URL"}},
				Flags: []cli.Flag{
					&cli.StringFlag{Name: "document", Local: true, Required: true, Usage: "the file with the subscription, or - for the standard input; required"},
					&cli.StringFlag{Name: "variables", Local: true, HideDefault: true, Usage: "the variables of the subscription, as a JSON object"},
					&cli.StringFlag{Name: "as", Local: true, HideDefault: true, Usage: "the name of the user whom it acts as"},
					&cli.StringFlag{Name: "role", Local: true, HideDefault: true, Usage: "whom it acts as without a user: anonymous (default) or admin"},
				},
			},
			{Name: "list", Action: do(listWebhooks), Usage: "print all endpoints, and how they do"},
			{Name: "remove", Action: do(removeWebhook), Usage: "deliver nothing any more to an endpoint", Arguments: id()},
			{
				Name: "replay", Action: do(replayWebhook), Arguments: id(),
				Usage: "turn an endpoint on, and go on where it stands",
				Flags: []cli.Flag{&cli.StringFlag{Name: "after", Local: true, HideDefault: true,
					Usage: "go on after this cursor instead, as a delivery or changeCursor has it; now leaves out all until now"}},
			},
		},
	}
}

// withWebhooks runs f as one unit of work, and prints the text that f returns once it is stored.
func (p program) withWebhooks(ctx context.Context, f func(context.Context, *webhook.Webhooks) (string, error)) error {
	return p.withDatabase(ctx, bootstrap.OpenExisting, func(db *database.DB) error {
		hooks, err := server.New(p.app, p.Settings, p.environ, io.Discard, p.log).Webhooks(ctx, db)
		if err != nil {
			return err
		}
		u := unit.New(db, unit.Write)
		defer u.Rollback()
		text, err := f(unit.NewContext(ctx, u), hooks)
		if wrong, ok := errors.AsType[*apperr.Error](err); ok && wrong.Code == apperr.CodeBadUserInput {
			return usage.Errorf("%s", wrong.Message)
		}
		if err != nil {
			return err
		}
		if err := u.Commit(ctx); err != nil {
			return err
		}
		_, err = io.WriteString(p.out, text)
		return err
	})
}

func addWebhook(ctx context.Context, p program) error {
	e := webhook.Endpoint{URL: p.cmd.StringArg("URL"), Variables: p.cmd.String("variables")}
	if e.URL == "" {
		return usage.Errorf("webhook add needs the URL to deliver to")
	}
	var err error
	if e.Role, err = p.webhookRole(); err != nil {
		return err
	}
	if e.Document, err = document(p.cmd.String("document")); err != nil {
		return err
	}
	return p.withWebhooks(ctx, func(ctx context.Context, hooks *webhook.Webhooks) (string, error) {
		if name := p.cmd.String("as"); name != "" {
			a, err := hooks.Account(ctx, name)
			if err != nil {
				return "", err
			}
			e.Account = &a
		}
		row, err := hooks.Create(ctx, e)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%s\n%s\n", row.GlobalID(), row.Secret), nil
	})
}

func (p program) webhookRole() (viewer.Role, error) {
	switch name := strings.ToLower(p.cmd.String("role")); {
	case name != "" && p.cmd.String("as") != "":
		return 0, usage.Errorf("--as and --role do not go together: a user has the role of the account")
	case name == "admin":
		return viewer.Admin, nil
	case name == "" || name == "anonymous":
		return viewer.Anonymous, nil
	}
	return 0, usage.Errorf("--role=%q is not allowed; allowed: anonymous or admin", p.cmd.String("role"))
}

// document reads a document from a file, or from the standard input.
func document(path string) (string, error) {
	read := func() ([]byte, error) { return os.ReadFile(path) }
	if path == "-" {
		read = func() ([]byte, error) { return io.ReadAll(os.Stdin) }
	}
	text, err := read()
	if err != nil {
		return "", usage.Errorf("--document: %v", err)
	}
	return string(text), nil
}

func listWebhooks(ctx context.Context, p program) error {
	return p.withWebhooks(ctx, func(ctx context.Context, hooks *webhook.Webhooks) (string, error) {
		rows, err := hooks.All(ctx)
		if err != nil {
			return "", err
		}
		text := new(strings.Builder)
		table := tabwriter.NewWriter(text, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "ID\tSTATE\tDELIVERED\tURL\tREASON")
		for _, row := range rows {
			state, delivered, reason := "on", "never", ""
			if row.DeliveredAt != nil {
				delivered = row.DeliveredAt.UTC().Format(time.RFC3339)
			}
			switch {
			case row.DisabledAt != nil:
				state, reason = "off", orNone(row.DisabledReason)
			case row.Failures > 0:
				state, reason = fmt.Sprintf("failed %d times", row.Failures), orNone(row.LastError)
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", row.GlobalID(), state, delivered, row.URL, reason)
		}
		err = table.Flush()
		return text.String(), err
	})
}

func orNone(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

func removeWebhook(ctx context.Context, p program) error {
	return p.withWebhook(ctx, func(ctx context.Context, hooks *webhook.Webhooks, id ids.ID) (string, error) {
		return fmt.Sprintf("%s is removed\n", id), hooks.Delete(ctx, id)
	})
}

func replayWebhook(ctx context.Context, p program) error {
	return p.withWebhook(ctx, func(ctx context.Context, hooks *webhook.Webhooks, id ids.ID) (string, error) {
		_, err := hooks.Replay(ctx, id, p.cmd.String("after"))
		return fmt.Sprintf("%s is on\n", id), err
	})
}

// withWebhook is like withWebhooks, for the endpoint that the argument names.
func (p program) withWebhook(ctx context.Context, f func(context.Context, *webhook.Webhooks, ids.ID) (string, error)) error {
	text := p.cmd.StringArg("ID")
	id, err := ids.Parse(text)
	if err != nil {
		return usage.Errorf("%q is not the ID of an endpoint: webhook list prints them", text)
	}
	return p.withWebhooks(ctx, func(ctx context.Context, hooks *webhook.Webhooks) (string, error) { return f(ctx, hooks, id) })
}
