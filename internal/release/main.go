// Command release builds the programs of a release: for Linux, macOS and Windows on amd64 and
// arm64, each with a list of the modules that are in it (CycloneDX), and SHA256SUMS for all. The
// same source and the same Go give the same bytes.
//
//	go run ./internal/release -version v1.2.3 -out dist
package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
)

// maxSize is the size that no program may have more than.
const maxSize = 48 << 20

var targets = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}

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
	var sums strings.Builder
	for _, target := range only {
		goos, arch, ok := strings.Cut(target, "/")
		if !ok {
			return fmt.Errorf("-only: %q is no target, such as linux/amd64", target)
		}
		name := fmt.Sprintf("forge_%s_%s_%s", version, goos, arch)
		program := name
		if goos == "windows" {
			program += ".exe"
		}
		if err := build(filepath.Join(out, program), version, goos, arch); err != nil {
			return err
		}
		if err := writeBOM(filepath.Join(out, program), filepath.Join(out, name+".cdx.json"), version); err != nil {
			return err
		}
		for _, file := range []string{program, name + ".cdx.json"} {
			content, err := os.ReadFile(filepath.Join(out, file))
			if err != nil {
				return err
			}
			fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(content), file)
		}
	}
	return os.WriteFile(filepath.Join(out, "SHA256SUMS"), []byte(sums.String()), 0o644)
}

// build builds a program. Nothing of this machine is in it: no path, and no state of git. Generated
// code is compiled without inlining, which saves two MiB; requests spend their time elsewhere.
func build(path, version, goos, arch string) error {
	module, err := exec.Command("go", "list", "-m").Output()
	if err != nil {
		return fmt.Errorf("this is done at the top of a source tree: %w", err)
	}
	at := strings.TrimSpace(string(module))
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-gcflags="+at+"/ent/...=-l", "-gcflags="+at+"/graph/...=-l",
		"-ldflags=-s -w -buildid= -X main.version="+version, "-o", path, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOAMD64=v1", "GOARM64=v8.0", "GOOS="+goos, "GOARCH="+arch)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s/%s: %w\n%s", goos, arch, err, output)
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %.1f MiB\n", path, float64(info.Size())/(1<<20))
	if info.Size() > maxSize {
		return fmt.Errorf("%s has %d bytes, and %d are allowed", path, info.Size(), maxSize)
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
