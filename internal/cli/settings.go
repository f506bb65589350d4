package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/urfave/cli/v3"

	"forge/internal/settings"
	"forge/internal/usage"
)

// settingsCommand does not use a runner: it says what is allowed where settings are wrong.
func settingsCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name: "settings", Usage: "list the settings of a TOPIC, or the topics",
		Description:        "Each setting has an environment variable and an option, and the option counts more. forge settings all lists every setting, and so does this help.",
		CustomHelpTemplate: usage.WithSettings(),
		Arguments:          []cli.Argument{&cli.StringArg{Name: "TOPIC", UsageText: "[TOPIC]"}},
		Action: func(_ context.Context, cmd *cli.Command) error {
			if err := usage.NothingLeft(cmd); err != nil {
				return err
			}
			if topic := cmd.StringArg("TOPIC"); topic != "" {
				return printTopic(stdout, topic)
			}
			for _, t := range settings.Topics {
				fmt.Fprintf(stdout, "%-12s %s\n", t.Name, t.About)
			}
			_, err := fmt.Fprintln(stdout, "\nforge settings TOPIC lists its settings, and forge settings all lists every setting.")
			return err
		},
	}
}

func printTopic(stdout io.Writer, topic string) error {
	of, err := settings.Of(topic)
	if err != nil {
		return err
	}
	lines := usage.Help(stdout)
	for _, s := range of {
		fmt.Fprintf(lines, "--%s, %s (default: %s)\n", s.Flag, s.Env, s.Default)
		fmt.Fprintf(lines, "    %s: %s\n", s.Meaning, s.Allowed)
	}
	return nil
}
