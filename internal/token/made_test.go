package token

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestMadeSecret makes a secret from several processes at once, and reads it again later. Only its
// owner may read it, and nothing else is left in the folder.
func TestMadeSecret(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "app.db-secret")
	secrets := make([]string, 8)
	var all sync.WaitGroup
	for i := range secrets {
		all.Go(func() {
			var err error
			if secrets[i], _, err = MadeSecret(path); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, s := range secrets {
		if s != secrets[0] || len(s) < MinSecret {
			t.Fatalf("%d bytes and %d bytes, want one secret", len(s), len(secrets[0]))
		}
	}
	if again, made, err := MadeSecret(path); err != nil || made || again != secrets[0] {
		t.Errorf("later: made is %v, %v", made, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v, want that only the owner may read it", info.Mode(), err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("%v, %v, want the secret alone", left, err)
	}
}

// TestMadeSecretRefuses has a file without a whole secret, and a folder that is not there.
func TestMadeSecretRefuses(t *testing.T) {
	t.Parallel()
	short := filepath.Join(t.TempDir(), "short")
	if err := os.WriteFile(short, []byte("abc\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := MadeSecret(short); err == nil || strings.Contains(err.Error(), "abc") {
		t.Errorf("a short secret: %v", err)
	}
	if _, _, err := MadeSecret(filepath.Join(t.TempDir(), "none", "secret")); err == nil {
		t.Error("it was made in a folder that is not there")
	}
}
