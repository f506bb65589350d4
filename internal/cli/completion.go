package cli

import (
	"context"
	_ "embed"
	"fmt"
	"io"

	"github.com/urfave/cli/v3"

	"forge/internal/settings"
	"forge/internal/usage"
)

var (
	//go:embed completion/bash
	bashCompletion string
	//go:embed completion/zsh
	zshCompletion string
	//go:embed completion/fish
	fishCompletion string
)

// completionCommand returns the command whose scripts ask its hidden command words, so that what a
// shell offers is what this program has. The library's scripts would evaluate the words that
// somebody is about to type.
func completionCommand(stdout io.Writer) *cli.Command {
	script := func(shell, text string) *cli.Command {
		return &cli.Command{
			Name: shell, Usage: "print the script for " + shell,
			Action: func(_ context.Context, cmd *cli.Command) error {
				if err := usage.NothingLeft(cmd); err != nil {
					return err
				}
				_, err := io.WriteString(stdout, text)
				return err
			},
		}
	}
	return &cli.Command{
		Name: "completion", Usage: "print a script by which a shell completes commands and options", Action: usage.NeedsCommand,
		Description: "For bash: source <(forge completion bash) in ~/.bashrc. For zsh: source <(forge completion zsh) in ~/.zshrc, after compinit. " +
			"For fish: forge completion fish > ~/.config/fish/completions/forge.fish",
		Commands: []*cli.Command{
			script("bash", bashCompletion), script("zsh", zshCompletion), script("fish", fishCompletion),
			{
				Name: "words", Hidden: true, SkipFlagParsing: true, HideHelp: true,
				Action: func(_ context.Context, cmd *cli.Command) error {
					for _, word := range usage.Complete(cmd.Root(), cmd.Args().Slice(), map[string][]string{"settings": settings.TopicNames()}) {
						fmt.Fprintln(stdout, word)
					}
					return nil
				},
			},
		},
	}
}
