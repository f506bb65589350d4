package settings

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"forge/internal/usage"
)

// Load returns the settings. It reads the flags of cmd, and environ, which has the form of
// os.Environ. If both set a value, the flag counts. A variable that is empty counts as not set. The
// error is a *usage.Error: one line with the setting, its value, and what is allowed.
func Load(cmd *cli.Command, environ []string) (*Settings, error) {
	s, mistakes := LoadAll(cmd, environ)
	if len(mistakes) > 0 {
		return nil, mistakes[0]
	}
	return s, nil
}

// LoadAll is like Load, but returns all mistakes. A setting with a value that is not allowed has
// its default.
func LoadAll(cmd *cli.Command, environ []string) (s *Settings, mistakes []error) {
	env := variables(environ)
	for _, check := range []func(map[string]string) error{checkUnknown, checkLibrary} {
		if err := check(env); err != nil {
			mistakes = append(mistakes, err)
		}
	}
	s = &Settings{sources: map[string]source{}}
	for _, setting := range All {
		name, value := setting.lookUp(cmd, env)
		if name == "" {
			value = setting.Default
			if setting.derive != nil {
				value = setting.derive(s)
			}
			name = setting.Env
		}
		if err := setting.set(s, value); err != nil {
			mistakes = append(mistakes, setting.refused(name, value, err))
			value = setting.Default
			_ = setting.set(s, value) // allowed, or there is none
		}
		s.sources[setting.Env] = source{name, setting.shown(value)}
	}
	return s, mistakes
}

// lookUp returns the value of a setting, and the name of the flag or variable that set it. Both are
// "" if the setting is not set.
func (s Setting) lookUp(cmd *cli.Command, env map[string]string) (name, value string) {
	if flag, ok := cmd.Value(s.Flag).(string); ok && cmd.IsSet(s.Flag) {
		return "--" + s.Flag, flag
	}
	if value := env[s.Env]; value != "" {
		return s.Env, value
	}
	return "", ""
}

// Environ returns an environment for another process of this program, in which it has the settings
// of cmd and environ.
func Environ(cmd *cli.Command, environ []string) []string {
	environ = slices.Clone(environ)
	for _, s := range All {
		if name, value := s.lookUp(cmd, nil); name != "" {
			environ = append(environ, s.Env+"="+value)
		}
	}
	return environ
}

func (s Setting) shown(value string) string {
	if s.show != nil {
		return s.show(value)
	}
	return value
}

func (s Setting) refused(name, value string, err error) error {
	value = s.shown(value)
	if errors.Is(err, errNotAllowed) {
		return usage.Errorf("%s=%q is not allowed; allowed: %s", name, value, s.Allowed)
	}
	return notAllowed(name, value, err.Error(), s.Allowed)
}

// Refused returns the *usage.Error for a setting whose value turned out to be wrong when it was
// used. env is the environment variable of the setting.
func (s *Settings) Refused(env string, reason error) error {
	source := s.sources[env]
	at := slices.IndexFunc(All, func(setting Setting) bool { return setting.Env == env })
	return notAllowed(source.name, source.value, reason.Error(), All[at].Allowed)
}

func notAllowed(name, value, reason, allowed string) error {
	return usage.Errorf("%s=%q is not allowed: %s; allowed: %s", name, value, strings.TrimSuffix(reason, "."), allowed)
}

func variables(environ []string) map[string]string {
	env := map[string]string{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		env[name] = value
	}
	return env
}

// prefix is the beginning of the names of variables that only Forge uses.
const prefix = "FORGE_"

// checkUnknown returns an error if a variable begins with prefix but is not a setting: it would
// have no effect, and somebody expects one.
func checkUnknown(env map[string]string) error {
	// known has the variable of each setting, by its name without the prefix. Most names have no
	// prefix.
	known := map[string]string{}
	for _, s := range All {
		known[strings.TrimPrefix(s.Env, prefix)] = s.Env
	}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		bare, meant := strings.CutPrefix(name, prefix)
		if !meant || known[bare] == name {
			continue
		}
		nearest := usage.Nearest(bare, slices.Sorted(maps.Keys(known)))
		if nearest == "" {
			return usage.Errorf("%s is not a setting; forge settings all lists all", name)
		}
		return usage.Errorf("%s is not a setting; the nearest is %s, and forge settings all lists all", name, known[nearest])
	}
	return nil
}
