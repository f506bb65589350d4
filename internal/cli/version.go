package main

import "runtime/debug"

// version is what the build was told: go build -ldflags "-X main.version=v1.2.3". It is never set at run time.
var version string

// buildVersion says what this program was built from: the version that the build was told, or else what the go command noted,
// "(devel)" if that is nothing.
func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
