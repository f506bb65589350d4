package sourcetree

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"

	"forge/internal/tree"
)

// Options say what Scaffold does.
type Options struct {
	Dir       string   // of the application; "" for the working directory
	Entities  []string // none for all that are meant to be shown, and that the schema does not show
	DryRun    bool     // a diff is printed, and nothing is stored
	Check     bool     // what does not fit is an error, and nothing is stored
	Unindexed bool     // conditions and orders are offered on all columns, also where no index serves them
	// WithoutGenerators leaves the generated code as it is.
	WithoutGenerators bool
	Out               io.Writer // for what was done; nil for nowhere
}

// waiting says that another command has to end first.
func (o Options) waiting() {
	fmt.Fprintln(cmp.Or[io.Writer](o.Out, io.Discard), "waiting for another command that works on this tree, such as dev")
}

// Scaffold adds the standard part of entities to the schema and to the table of access, and runs
// the generators of code. It needs no database. It returns an error, and the files are as they
// were, if an entity cannot be shown, if ent/schema does not compile, or if a generator fails. With
// Check, it returns a *CheckError if something does not fit.
func Scaffold(ctx context.Context, o Options) error {
	t, err := Open(o.Dir)
	if err != nil {
		return err
	}
	if o.Check {
		return t.check(ctx, cmp.Or[io.Writer](o.Out, io.Discard))
	}
	unlock, err := Lock(ctx, t.dir, o.waiting)
	if err != nil {
		return err
	}
	defer unlock()
	t.unindexed = o.Unindexed
	a, err := t.scaffold(ctx, o.Entities)
	if err != nil {
		return err
	}
	return t.finish(ctx, o, a)
}

// RefusedError says why nothing was stored. It is several lines for several reasons.
type RefusedError struct{ Reasons string }

// Error returns the reasons.
func (e *RefusedError) Error() string { return "nothing was written:\n" + e.Reasons }

// CheckError holds what of the schema does not fit ent/schema, a sentence for each place.
type CheckError struct{ Findings []string }

// Error returns the findings, one for each line.
func (e *CheckError) Error() string {
	return "schema.graphqls and ent/schema do not fit together:\n" + strings.Join(e.Findings, "\n")
}

// check returns a *CheckError if the schema does not fit ent/schema, or if it does not show an
// entity that is meant to be shown. Otherwise it prints notes about inputs that could have more
// fields.
func (t *Tree) check(ctx context.Context, out io.Writer) error {
	special, err := t.special()
	if err != nil {
		return err
	}
	sdl, err := t.sdl()
	if err != nil {
		return err
	}
	a, err := t.ask(ctx, Question{SDL: sdl, Special: special, Check: true})
	if err != nil {
		return err
	}
	if a.Refused != "" {
		return &RefusedError{a.Refused}
	}
	if len(a.Findings) > 0 {
		return &CheckError{a.Findings}
	}
	return printNotes(out, a.Notes)
}

// sdl returns the schema, or "" if there is none.
func (t *Tree) sdl() (string, error) {
	text, err := t.read(sdlFile)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	return string(text), err
}

// scaffold adds the standard part of entities to the files.
func (t *Tree) scaffold(ctx context.Context, names []string) (*Answer, error) {
	special, err := t.special()
	if err != nil {
		return nil, err
	}
	sdl, err := t.sdl()
	if err != nil {
		return nil, err
	}
	a, err := t.ask(ctx, Question{SDL: sdl, Names: names, Special: special, Unindexed: t.unindexed})
	if err != nil {
		return nil, err
	}
	if a.Refused != "" {
		return nil, &RefusedError{a.Refused}
	}
	if a.SDL != sdl {
		t.files[sdlFile] = []byte(a.SDL)
	}
	if len(a.Access) == 0 {
		return a, nil
	}
	source, err := t.read(accessFile)
	if err != nil {
		return nil, err
	}
	if t.files[accessFile], err = withAccess(source, a.Access); err != nil {
		return nil, err
	}
	return a, nil
}

// finish prints the changes, or stores them and generates code.
func (t *Tree) finish(ctx context.Context, o Options, a *Answer) error {
	out := cmp.Or[io.Writer](o.Out, io.Discard)
	if o.DryRun {
		_, err := out.Write(t.diff())
		return errors.Join(err, printNotes(out, a.Notes))
	}
	if len(t.files) == 0 {
		fmt.Fprintln(out, "nothing to write")
		return printNotes(out, append(a.Notes, tree.Stale(t.dir)...))
	}
	if err := t.store(func() error { return t.generate(ctx, o) }); err != nil {
		return err
	}
	for _, path := range slices.Sorted(maps.Keys(t.files)) {
		fmt.Fprintln(out, path)
	}
	return printNotes(out, a.Notes)
}

func printNotes(out io.Writer, notes []string) error {
	for _, note := range slices.Compact(slices.Sorted(slices.Values(notes))) {
		if _, err := fmt.Fprintln(out, "note:", note); err != nil {
			return err
		}
	}
	return nil
}

// generate runs the generators of ent and of gqlgen.
func (t *Tree) generate(ctx context.Context, o Options) error {
	if o.WithoutGenerators {
		return nil
	}
	for _, dir := range []string{"./ent", "./" + graphDir} {
		cmd := exec.CommandContext(ctx, "go", "generate", dir)
		cmd.Dir = t.dir
		if text, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("go generate %s: %w\n%s", dir, err, strings.TrimSpace(string(text)))
		}
	}
	return nil
}
