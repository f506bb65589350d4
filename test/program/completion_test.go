package program

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestCompletion asks for the words that complete command lines.
func TestCompletion(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"mig": "migrate", "migrate st": "status", "migrate --": "", "completion b": "bash", "completion w": "", "settings observ": "observe",
		"migrate up --lock-t": "--lock-timeout", "--database-u": "--database-url", "$(touch x)": "", "no such": "",
	} {
		code, stdout, stderr := do(t, append([]string{"completion", "words"}, strings.Split(line, " ")...)...)
		if got := strings.TrimSpace(stdout); code != 0 || stderr != "" || want != "" && got != want || want == "" && line != "migrate --" && got != "" {
			t.Errorf("%q: %q, want %q; status %d, stderr %q", line, got, want, code, stderr)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if code, stdout, _ := do(t, "completion", shell); code != 0 || !strings.Contains(stdout, "completion words") {
			t.Errorf("%s: status %d, %s", shell, code, stdout)
		}
	}
}

// TestCompletionInShells has the shells that are installed complete command lines. bash and zsh
// need a terminal for it, which the program script makes.
func TestCompletionInShells(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(executable, filepath.Join(dir, "forge")); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"afile":     "",
		"bash.keys": "source <(forge completion bash)\nforge settin\tobserv\t\nexit\n",
		"fish.in":   `forge completion fish | source; for line in "forge settings observ" "forge completion " "forge adopt afi"; complete -C $line; end`,
		"zsh.keys":  "autoload -Uz compinit; compinit -D -u\nsource <(forge completion zsh)\nforge settin\tobserv\t\nexit\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const ran = "--log-level, LOG_LEVEL (default: info)" // forge settings observe
	for _, c := range []struct {
		shell, command, input, want string
	}{
		{"bash", "script -qec 'bash --norc --noprofile -i' /dev/null", "bash.keys", ran},
		{"zsh", "script -qec 'zsh -d -i' /dev/null", "zsh.keys", ran},
		{"fish", "fish --no-config", "fish.in", "observe\nbash\nfish\nzsh\nafile\n"},
	} {
		t.Run(c.shell, func(t *testing.T) {
			program, _, _ := strings.Cut(c.command, " ")
			for _, needed := range []string{c.shell, program} {
				if _, err := exec.LookPath(needed); err != nil {
					t.Skip(needed + " is not there")
				}
			}
			shell := exec.Command("sh", "-c", c.command+" <"+c.input)
			shell.Dir = dir
			shell.Env = append(os.Environ(), asProgram+"=yes", "PATH="+dir+":"+os.Getenv("PATH"), "TERM=dumb", "PS1=$ ", "HOME="+dir, "ZDOTDIR="+dir)
			if out, err := shell.CombinedOutput(); err != nil || !strings.Contains(string(out), c.want) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
