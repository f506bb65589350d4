package token

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// MadeSecret returns the secret in the file at path. If there is no such file, it makes one with a
// random secret, which only its owner may read. It is for development: a server in production has
// its secret from its operator. Any number of processes may call it at once, and all get the same
// secret.
func MadeSecret(path string) (secret string, made bool, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if made, err = makeSecret(path); err != nil {
			return "", false, err
		}
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return "", false, err
	}
	if secret = strings.TrimSpace(string(text)); len(secret) < MinSecret {
		return "", false, fmt.Errorf("%s has %d bytes, and a secret has %d at least; remove the file, and another one is made", path, len(secret), MinSecret)
	}
	return secret, made, nil
}

// RandomSecret returns a new secret.
func RandomSecret() string {
	random := make([]byte, MinSecret)
	rand.Read(random) // never fails
	return base64.StdEncoding.EncodeToString(random)
}

// makeSecret makes the file with a secret. It returns false if another process was first. The file
// is whole when it gets its name.
func makeSecret(path string) (bool, error) {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+"-*") // only its owner may read it
	if err != nil {
		return false, err
	}
	defer os.Remove(file.Name())
	_, err = file.WriteString(RandomSecret() + "\n")
	if err = errors.Join(err, file.Close()); err != nil {
		return false, err
	}
	err = os.Link(file.Name(), path)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	return err == nil, err
}
