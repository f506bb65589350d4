package provider

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
	"go.yaml.in/yaml/v3"
)

// File is the file of the setting AUTH_PROVIDERS_FILE.
type File struct {
	// PublicURL is the origin at which browsers reach this server. Providers send them back there.
	PublicURL string `json:"publicUrl"`
	// ReturnTo are the pages that browsers may be sent to in the end; see newPages.
	ReturnTo  []string  `json:"returnTo"`
	Providers []*Config `json:"providers"`

	pages pages
}

// Config says how to use one provider.
type Config struct {
	Name     string `json:"name"`
	Preset   string `json:"preset"`
	Issuer   string `json:"issuer"`
	Tenant   string `json:"tenant"` // of Microsoft
	ClientID string `json:"clientId"`

	ClientSecret     string `json:"clientSecret"`
	ClientSecretFile string `json:"clientSecretFile"`

	// Apple has no secret. It has a key that signs one for each use.
	TeamID  string `json:"teamId"`
	KeyID   string `json:"keyId"`
	KeyFile string `json:"keyFile"`

	Scopes     []string `json:"scopes"`
	SignUp     bool     `json:"signUp"`     // whether somebody who has no account gets one
	TrustEmail *bool    `json:"trustEmail"` // false: no email of the provider counts as verified

	preset preset
	key    *ecdsa.PrivateKey
}

// preset is what is known of a kind of provider.
type preset struct {
	issuer   string
	scopes   []string
	formPost bool // the provider sends browsers back by POST
	rest     bool // GitHub: no OpenID Connect
	tenant   bool // the issuer has the tenant in it
	signed   bool // Apple: the secret is signed for each use
}

var presets = map[string]preset{
	"":          {scopes: openIDScopes},
	"google":    {scopes: openIDScopes, issuer: "https://accounts.google.com"},
	"microsoft": {scopes: openIDScopes, issuer: "https://login.microsoftonline.com/{tenant}/v2.0", tenant: true},
	"apple":     {scopes: []string{"openid", "email"}, issuer: "https://appleid.apple.com", formPost: true, signed: true},
	"github":    {scopes: []string{"read:user", "user:email"}, issuer: "https://github.com", rest: true},
}

var openIDScopes = []string{"openid", "email", "profile"}

// maxFile is the size of the largest file that is read.
const maxFile = 1 << 20

// Read reads the file at path, which is YAML if its name says so, and JSON otherwise, and the files
// of secrets that it names. Their paths are relative to the folder of the file. The error is a
// sentence about the file, without a value of it that may be secret.
func Read(path string) (*File, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	if ext := filepath.Ext(path); ext == ".yaml" || ext == ".yml" {
		if text, err = fromYAML(text); err != nil {
			return nil, err
		}
	}
	f := new(File)
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(f); err != nil {
		return nil, inWords(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("there is something behind its end")
	}
	if f.pages, err = newPages(f.ReturnTo); err != nil {
		return nil, err
	}
	if f.PublicURL != "" {
		if u, err := webURL(f.PublicURL); err != nil || u.Path != "" {
			return nil, errors.New("publicUrl is not an origin, such as https://api.example.com")
		}
	}
	if len(f.Providers) == 0 {
		return nil, errors.New("it has no providers")
	}
	seen := map[string]bool{}
	for i, c := range f.Providers {
		if c == nil || !nameForm.MatchString(c.Name) {
			return nil, fmt.Errorf("the name of provider %d is not a lower-case letter and up to 31 lower-case letters, digits and hyphens", i+1)
		}
		if seen[c.Name] {
			return nil, fmt.Errorf("there are two providers %s", c.Name)
		}
		seen[c.Name] = true
		if err := c.complete(filepath.Dir(path)); err != nil {
			return nil, fmt.Errorf("provider %s: %w", c.Name, err)
		}
	}
	return f, nil
}

// fromYAML returns the only document of a YAML file as JSON.
func fromYAML(text []byte) ([]byte, error) {
	var document, more any
	d := yaml.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&document); err != nil {
		return nil, errors.New("it is not YAML")
	}
	if err := d.Decode(&more); err != io.EOF {
		return nil, errors.New("there is something behind its end")
	}
	found, err := json.Marshal(document)
	if err != nil {
		return nil, errors.New("it has a member whose name is not a text")
	}
	return found, nil
}

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// inWords returns an error of the decoder as a sentence. The decoder's texts have no values in
// them, but names of Go.
func inWords(err error) error {
	if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s may not be a %s", kind.Field, kind.Value)
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return fmt.Errorf("it has a member %s, which is not known", name)
	}
	return errors.New("it is not JSON")
}

// complete checks the configuration, fills in what its preset says, and reads its secret.
func (c *Config) complete(dir string) error {
	p, ok := presets[c.Preset]
	if !ok {
		return errors.New("preset is none of google, github, microsoft and apple")
	}
	c.preset = p
	if c.ClientID == "" {
		return errors.New("clientId is missing")
	}
	if err := c.completeIssuer(); err != nil {
		return err
	}
	if len(c.Scopes) == 0 {
		c.Scopes = p.scopes
	}
	if !p.rest && !slices.Contains(c.Scopes, "openid") {
		return errors.New("scopes do not have openid in them")
	}
	if p.signed {
		return c.readKey(dir)
	}
	if c.TeamID+c.KeyID+c.KeyFile != "" {
		return errors.New("teamId, keyId and keyFile are for the preset apple")
	}
	return c.readSecret(dir)
}

// completeIssuer sets the issuer.
func (c *Config) completeIssuer() error {
	switch {
	case c.Issuer == "" && c.Preset == "":
		return errors.New("issuer or preset is missing")
	case c.Issuer == "":
		c.Issuer = c.preset.issuer
	case len(c.Issuer) > 500:
		return errors.New("issuer is longer than 500 bytes")
	}
	if strings.Contains(c.Issuer, "{tenant}") {
		if !tenantForm.MatchString(c.Tenant) {
			return errors.New("tenant is missing, or not the ID of a tenant, common, organizations or consumers")
		}
		if c.Tenant == "consumers" {
			c.Tenant = consumers
		}
		c.Issuer = strings.ReplaceAll(c.Issuer, "{tenant}", c.Tenant)
	} else if c.Tenant != "" {
		return errors.New("tenant is for the preset microsoft")
	}
	if _, err := webURL(c.Issuer); err != nil {
		return fmt.Errorf("issuer %w", err)
	}
	return nil
}

var tenantForm = regexp.MustCompile(`^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|common|organizations|consumers)$`)

// consumers is the tenant of all of Microsoft's personal accounts.
const consumers = "9188040d-6c67-4c5b-b112-36a304b66dad"

func (c *Config) readSecret(dir string) error {
	switch {
	case (c.ClientSecret == "") == (c.ClientSecretFile == ""):
		return errors.New("it needs either clientSecret or clientSecretFile")
	case c.ClientSecret != "":
		return nil
	}
	text, err := readFile(relative(dir, c.ClientSecretFile))
	if err != nil {
		return fmt.Errorf("clientSecretFile: %w", err)
	}
	if c.ClientSecret = strings.TrimSpace(string(text)); c.ClientSecret == "" {
		return errors.New("clientSecretFile is empty")
	}
	return nil
}

// readKey reads the key with which secrets for Apple are signed.
func (c *Config) readKey(dir string) error {
	if c.ClientSecret+c.ClientSecretFile != "" {
		return errors.New("apple has no secret, but teamId, keyId and keyFile")
	}
	if c.TeamID == "" || c.KeyID == "" || c.KeyFile == "" {
		return errors.New("teamId, keyId or keyFile is missing")
	}
	text, err := readFile(relative(dir, c.KeyFile))
	if err != nil {
		return fmt.Errorf("keyFile: %w", err)
	}
	if c.key, err = jwt.ParseECPrivateKeyFromPEM(text); err != nil || c.key.Curve.Params().BitSize != 256 {
		return errors.New("keyFile is not a P-256 key in PEM, as Apple gives it")
	}
	return nil
}

func relative(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// readFile returns what is in a file, if it is not too large.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, errors.New("there is no such file, or it may not be read")
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, errors.New("it cannot be read")
	case len(text) > maxFile:
		return nil, errors.New("it is larger than 1 MiB")
	}
	return text, nil
}

// webURL parses the URL of a server. It must use HTTPS, or be on this machine, and have neither a
// user nor a query nor a fragment.
func webURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#"):
		return nil, errors.New("is not the URL of a server, such as https://accounts.example.com")
	case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())):
		return nil, errors.New("has to begin with https://, unless it is on this machine")
	}
	return u, nil
}

// isLoopback reports whether a host is a name or an address of this machine.
func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
