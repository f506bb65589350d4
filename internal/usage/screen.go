package usage

import (
	"slices"
	"strings"
)

// Group is a line of the program's help: commands that belong together.
type Group struct {
	Title    string
	Commands []string
}

// Screen returns the template of the program's help, which fits on a screen of 24 lines of 80
// columns. Commands that no group names stand in the last line of them.
func Screen(groups []Group) string {
	var b strings.Builder
	b.WriteString("{{.Name}} - {{.Usage}}\n\n{{.Name}} [OPTION…] [COMMAND]   without a command, it serves\n\n")
	var named []string
	for _, g := range groups {
		named = append(named, g.Commands...)
		b.WriteString(line(g.Title, `{{range .VisibleCommands}}{{if `+is(g.Commands)+`}} {{.Name}}{{end}}{{end}}`))
	}
	if len(named) > 0 {
		b.WriteString(line("More", `{{range .VisibleCommands}}{{if not (`+is(named)+`)}} {{.Name}}{{end}}{{end}}`))
	}
	b.WriteString(`
{{.Name}} COMMAND --help     what a command does, and its options
{{.Name}} settings [TOPIC]   what can be set, by options and by variables
{{.Name}} completion SHELL   commands and options for bash, zsh or fish
{{.Name}} --version          {{.Version}}

Most used:  --addr=HOST:PORT  --database-url=ADDRESS  --env=production
            or ADDR, DATABASE_URL and FORGE_ENV in the environment
Status:     0; 2 after a mistake in options or settings; 1 after other failures
`)
	return b.String()
}

func line(title, commands string) string {
	return title + ":" + strings.Repeat(" ", 9-len(title)) + commands + "\n"
}

// is returns a condition of the template for the names of commands.
func is(names []string) string {
	quoted := slices.Clone(names)
	for i, name := range quoted {
		quoted[i] = `(eq .Name "` + name + `")`
	}
	return "or false " + strings.Join(quoted, " ")
}
