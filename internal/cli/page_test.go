package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/urfave/cli/v3"

	"forge/internal/application"
)

const page = "../../docs/commands.md"

const pageHead = `<!-- Generated: UPDATE_PAGES=1 go test ./internal/cli -run TestPage -->
# Commands

The program is one file, here called ` + "`forge`" + `; in the source tree, ` + "`go run .`" + ` stands for it. Each
command takes the settings of [settings.md](settings.md) as well, as variables or flags. The exit
status is 0, 2 after a mistake in options or settings, and 1 after any other failure.
`

// TestPage compares docs/commands.md with the commands. With UPDATE_PAGES=1 it writes the page.
func TestPage(t *testing.T) {
	t.Parallel()
	root := commands(program{app: application.Application{Usage: "a GraphQL server"}, out: io.Discard, stderr: io.Discard})
	var b strings.Builder
	b.WriteString(pageHead)
	for _, c := range root.Commands {
		describe(&b, "forge", c)
	}
	if os.Getenv("UPDATE_PAGES") != "" {
		if err := os.WriteFile(page, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	is, err := os.ReadFile(page)
	if err != nil || string(is) != b.String() {
		t.Errorf("docs/commands.md is not what the commands say (%v): UPDATE_PAGES=1 go test ./internal/cli -run TestPage writes it", err)
	}
}

// describe writes the section of a command, and those of the commands below it.
func describe(b *strings.Builder, path string, c *cli.Command) {
	if c.Hidden {
		return
	}
	path += " " + c.Name
	fmt.Fprintf(b, "\n## %s\n\n`%s`\n\n%s\n", path, strings.Join(append([]string{path}, argumentsOf(c)...), " "), sentence(c.Usage))
	if c.Description != "" {
		fmt.Fprintf(b, "\n%s\n", c.Description)
	}
	var rows string
	for _, f := range c.Flags {
		if v, ok := f.(cli.VisibleFlag); ok && v.IsVisible() {
			rows += row(f)
		}
	}
	if rows != "" {
		b.WriteString("\n| Option | Default | Meaning |\n| --- | --- | --- |\n" + rows)
	}
	for _, below := range c.Commands {
		describe(b, path, below)
	}
}

// argumentsOf returns how the arguments of a command are written.
func argumentsOf(c *cli.Command) (all []string) {
	if c.ArgsUsage != "" {
		all = append(all, c.ArgsUsage)
	}
	for _, a := range c.Arguments {
		if usage := strings.TrimSpace(a.Usage()); usage != "" {
			all = append(all, usage)
		}
	}
	return all
}

// row returns the line of an option.
func row(f cli.Flag) string {
	d := f.(cli.DocGenerationFlag)
	value := ""
	if d.IsDefaultVisible() && d.TakesValue() {
		value = strings.Trim(d.GetDefaultText(), `"`)
	}
	if value != "" {
		value = "`" + value + "`"
	}
	return fmt.Sprintf("| `--%s` | %s | %s |\n", f.Names()[0], value, strings.ReplaceAll(sentence(d.GetUsage()), "|", `\|`))
}

// sentence returns a text with a capital letter at its beginning, and a full stop at its end.
func sentence(text string) string {
	return strings.ToUpper(text[:1]) + strings.TrimSuffix(text[1:], ".") + "."
}
