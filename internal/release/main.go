// Command release builds the programs of a release: for Linux, macOS and Windows on amd64 and
// arm64, each with a list of the modules that are in it (CycloneDX), and SHA256SUMS for all. The
// same source and the same Go give the same bytes.
//
//	go run ./internal/release -version v1.2.3 -out dist
package main

import (
	"archive/zip"
	"compress/flate"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
)

// maxSize is the size in bytes that no program for an architecture may have more than.
var maxSize = map[string]int64{"amd64": 42 << 20, "arm64": 40 << 20}

var targets = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}

// seldom are packages whose code runs at the start, in commands, or beside work that takes much
// longer, such as the database's. They are compiled without inlining, which saves three MiB.
var seldom = []string{
	"./ent/...", "./graph/...", "./migrate/...", "./seed/...", "./internal/read/binding/...",
	"./internal/account/...", "./internal/accountapi/...", "./internal/application/...", "./internal/blob/...", "./internal/bootstrap/...", "./internal/cli/...",
	"./internal/demo/...", "./internal/doctor/...", "./internal/email/...", "./internal/expiry/...", "./internal/factor/...", "./internal/file/...",
	"./internal/health/...", "./internal/mail/...", "./internal/migrator/...", "./internal/onetime/...", "./internal/operator/...", "./internal/password/...",
	"./internal/progress/...", "./internal/provider/...", "./internal/schema/...", "./internal/server/...", "./internal/settings/...", "./internal/site/...",
	"./internal/terminal/...", "./internal/tree/...", "./internal/upload/...", "./internal/usage/...", "./internal/username/...", "./internal/webhook/...",
	"./internal/webpage/...",
	"archive/zip", "crypto/x509/...", "encoding/asn1", "encoding/xml", "html/template", "mime/multipart", "net/mail", "net/smtp", "os/exec", "regexp/syntax",
	"text/template/...", "vendor/golang.org/x/crypto/cryptobyte/...",
	"entgo.io/ent/entql", "entgo.io/ent/schema/...", "github.com/agnivade/levenshtein/...", "github.com/coreos/go-oidc/...", "github.com/fxamacker/cbor/...",
	"github.com/gabriel-vasile/mimetype/...", "github.com/go-jose/go-jose/...", "github.com/go-logr/...", "github.com/go-viper/mapstructure/...",
	"github.com/go-webauthn/...", "github.com/google/go-tpm/...", "github.com/klauspost/cpuid/...", "github.com/mfridman/interpolate/...",
	"github.com/MicahParks/jwkset/...", "github.com/minio/minio-go/...", "github.com/philhofer/fwd/...", "github.com/pressly/goose/...",
	"github.com/prometheus/client_golang/prometheus/promhttp/...", "github.com/prometheus/client_model/...", "github.com/prometheus/common/...",
	"github.com/prometheus/procfs/...", "github.com/tinylib/msgp/...", "github.com/tus/tusd/...", "github.com/urfave/cli/...",
	"github.com/vektah/gqlparser/v2/validator/rules/...", "github.com/wneessen/go-mail/...", "github.com/yuin/goldmark/...", "go.opentelemetry.io/auto/sdk/...",
	"go.opentelemetry.io/otel/exporters/...", "go.opentelemetry.io/otel/sdk/...", "go.opentelemetry.io/proto/...", "go.yaml.in/yaml/...",
	"golang.org/x/crypto/ocsp", "golang.org/x/exp/...", "golang.org/x/net/publicsuffix", "golang.org/x/oauth2/...", "golang.org/x/text/secure/...",
	"google.golang.org/protobuf/...", "gopkg.in/ini.v1",
}

func main() {
	version := flag.String("version", "", "the version that the programs print, such as v1.2.3")
	out := flag.String("out", "dist", "the folder for the files; it must not exist or be empty")
	only := flag.String("only", strings.Join(targets, ","), "the targets, with commas between them")
	flag.Parse()
	if err := release(*version, *out, strings.Split(*only, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// release builds the targets and writes what belongs to them.
func release(version, out string, only []string) error {
	if !regexp.MustCompile(`^v?\d+\.\d+\.\d+[-+.0-9A-Za-z]*$`).MatchString(version) {
		return fmt.Errorf("-version=%q is no version, such as v1.2.3", version)
	}
	if old, err := os.ReadDir(out); err == nil && len(old) > 0 {
		return fmt.Errorf("%s is not empty: remove it, or name another folder", out)
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	b := builder{version: version}
	if b.module, err = moduleHere(); err == nil {
		b.overlay, err = packPages(work)
	}
	if err != nil {
		return err
	}
	var sums strings.Builder
	for _, target := range only {
		files, err := b.target(out, target)
		if err != nil {
			return err
		}
		for _, file := range files {
			content, err := os.ReadFile(filepath.Join(out, file))
			if err != nil {
				return err
			}
			fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(content), file)
		}
	}
	return os.WriteFile(filepath.Join(out, "SHA256SUMS"), []byte(sums.String()), 0o644)
}

// moduleHere returns the module of the working directory.
func moduleHere() (string, error) {
	module, err := exec.Command("go", "list", "-m").Output()
	if err != nil {
		return "", fmt.Errorf("this is done at the top of a source tree: %w", err)
	}
	return strings.TrimSpace(string(module)), nil
}

// packPages writes the pages to a folder, in the form that the build tag release embeds. It returns
// the file that tells the tools of Go where they belong.
func packPages(work string) (overlay string, err error) {
	pages, at := filepath.Join(work, "pages.zip"), "docs/pages.zip"
	if at, err = filepath.Abs(at); err != nil {
		return "", err
	}
	f, err := os.Create(pages)
	if err != nil {
		return "", err
	}
	if err := errors.Join(zipPages(f, os.DirFS("docs")), f.Close()); err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]map[string]string{"Replace": {at: pages}})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(work, "overlay.json")
	return overlay, os.WriteFile(overlay, text, 0o600)
}

// zipPages writes all files but Go code, without their times.
func zipPages(w io.Writer, pages fs.FS) error {
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	err := fs.WalkDir(pages, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) == ".go" {
			return err
		}
		content, err := fs.ReadFile(pages, name)
		if err != nil {
			return err
		}
		to, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
		if err != nil {
			return err
		}
		_, err = to.Write(content)
		return err
	})
	return errors.Join(err, z.Close())
}

// builder builds programs of a version.
type builder struct{ version, module, overlay string }

// target writes the program of a target and its list of modules. It returns the names of the files.
func (b builder) target(out, target string) (files []string, err error) {
	goos, arch, ok := strings.Cut(target, "/")
	if !ok {
		return nil, fmt.Errorf("-only: %q is no target, such as linux/amd64", target)
	}
	name := fmt.Sprintf("forge_%s_%s_%s", b.version, goos, arch)
	program, modules := name, name+".cdx.json"
	if goos == "windows" {
		program += ".exe"
	}
	if err := b.build(filepath.Join(out, program), goos, arch); err != nil {
		return nil, err
	}
	return []string{program, modules}, writeBOM(filepath.Join(out, program), filepath.Join(out, modules), b.version)
}

// build builds a program. Nothing of this machine is in it: no path, and no state of git.
func (b builder) build(to, goos, arch string) error {
	args := []string{"build", "-tags=release", "-overlay=" + b.overlay, "-trimpath", "-buildvcs=false",
		// Functions begin at multiples of 16 bytes, as the processors ask for. The linker's 32 for
		// amd64 take half a MiB.
		"-ldflags=-s -w -buildid= -funcalign=16 -X main.version=" + b.version}
	for _, pattern := range seldom {
		if own, ok := strings.CutPrefix(pattern, "./"); ok {
			pattern = b.module + "/" + own
		}
		args = append(args, "-gcflags="+pattern+"=-l")
	}
	cmd := exec.Command("go", append(args, "-o", to, ".")...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOAMD64=v1", "GOARM64=v8.0", "GOOS="+goos, "GOARCH="+arch)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s/%s: %w\n%s", goos, arch, err, output)
	}
	info, err := os.Stat(to)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %.1f MiB\n", to, float64(info.Size())/(1<<20))
	if most, ok := maxSize[arch]; ok && info.Size() > most {
		return fmt.Errorf("%s has %d bytes, and %d are allowed", to, info.Size(), most)
	}
	return nil
}

// bom is a bill of materials: https://cyclonedx.org/docs/1.5/json/.
type bom struct {
	Format     string      `json:"bomFormat"`
	Spec       string      `json:"specVersion"`
	Version    int         `json:"version"`
	Metadata   metadata    `json:"metadata"`
	Components []component `json:"components"`
}

type metadata struct {
	Component component `json:"component"`
}

type component struct {
	Type    string `json:"type"`
	Name    string `json:"name"`
	Version string `json:"version"`
	PURL    string `json:"purl"`
}

// writeBOM writes which modules the linker has put into a program, and which Go has built it.
func writeBOM(program, path, version string) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	if info.Main.Path == "" {
		return errors.New(program + " does not say what is in it")
	}
	module := func(m debug.Module) component {
		return component{"library", m.Path, m.Version, "pkg:golang/" + m.Path + "@" + m.Version}
	}
	b := bom{"CycloneDX", "1.5", 1, metadata{module(debug.Module{Path: info.Main.Path, Version: version})}, nil}
	b.Metadata.Component.Type = "application"
	b.Components = append(b.Components, module(debug.Module{Path: "std", Version: strings.TrimPrefix(info.GoVersion, "go")}))
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		b.Components = append(b.Components, module(*m))
	}
	text, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
