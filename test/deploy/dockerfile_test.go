package deploy

import (
	"encoding/json"
	"strings"
)

// stage is one part of a Dockerfile. It begins with FROM.
type stage struct {
	from         string
	instructions []instruction
}

type instruction struct{ name, rest string }

// parseDockerfile parses a Dockerfile. A line that ends in a backslash continues in the next line.
// A line that begins with # is a comment.
func parseDockerfile(text string) (stages []stage) {
	var joined strings.Builder
	for line := range strings.Lines(text) {
		trimmed := strings.TrimSpace(line)
		if trimmed == "" || trimmed[0] == '#' {
			continue
		}
		if start, more := strings.CutSuffix(trimmed, `\`); more {
			joined.WriteString(strings.TrimSpace(start) + " ")
			continue
		}
		joined.WriteString(trimmed)
		name, rest, _ := strings.Cut(joined.String(), " ")
		joined.Reset()
		if name == "FROM" {
			words := strings.Fields(rest)
			for len(words) > 1 && strings.HasPrefix(words[0], "--") {
				words = words[1:]
			}
			stages = append(stages, stage{from: words[0]})
			continue
		}
		last := &stages[len(stages)-1] // ARG before FROM is not in use here
		last.instructions = append(last.instructions, instruction{name, strings.TrimSpace(rest)})
	}
	return stages
}

// all returns the arguments of each instruction with a name.
func (s stage) all(name string) (rest []string) {
	for _, i := range s.instructions {
		if i.name == name {
			rest = append(rest, i.rest)
		}
	}
	return rest
}

// exec returns the words of an instruction in JSON form, without its options. It panics on another
// form.
func (s stage) exec(name string) (words []string) {
	for _, rest := range s.all(name) {
		rest = rest[max(strings.IndexByte(rest, '['), 0):]
		if err := json.Unmarshal([]byte(rest), &words); err != nil {
			panic(name + " " + rest + " is not in JSON form")
		}
	}
	return words
}

// env returns the variables that ENV sets.
func (s stage) env() map[string]string {
	env := map[string]string{}
	for _, rest := range s.all("ENV") {
		for _, word := range strings.Fields(rest) {
			name, value, _ := strings.Cut(word, "=")
			env[name] = value
		}
	}
	return env
}
