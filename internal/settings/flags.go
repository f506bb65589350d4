package settings

import "github.com/urfave/cli/v3"

// Flags returns a flag for each setting. Load reads the values of the flags.
func Flags() []cli.Flag {
	var flags []cli.Flag
	for _, s := range All {
		flags = append(flags, &flag{
			Name:        s.Flag,
			Usage:       s.Meaning + ": " + s.Allowed,
			DefaultText: s.Default,
			Sources:     cli.NewValueSourceChain(variable(s.Env)),
			Config:      kind{alone: s.alone},
		})
	}
	return flags
}

// flag is a flag that accepts any text, because Load checks the value.
type flag = cli.FlagBase[string, kind, text]

type kind struct{ alone bool }

// text is the value of a flag. It also creates such values, as the cli library demands.
type text struct {
	kind
	value *string
}

func (text) Create(value string, p *string, k kind) cli.Value {
	*p = value
	return &text{k, p}
}

func (text) ToString(value string) string { return value }

func (t *text) Set(value string) error { *t.value = value; return nil }

func (t *text) String() string { return *t.value }

func (t *text) Get() any { return *t.value }

// IsBoolFlag reports whether the flag may stand without a value. The cli library then sets it to
// "true".
func (t *text) IsBoolFlag() bool { return t.alone }

// variable makes --help show the name of an environment variable. The cli library does not get its
// value from here, because Load reads the environment.
type variable string

func (variable) Lookup() (string, bool) { return "", false }

func (variable) IsFromEnv() bool { return true }

func (v variable) Key() string { return string(v) }

func (v variable) String() string { return string(v) }

func (v variable) GoString() string { return string(v) }
