package cli

import "runtime/debug"

// buildVersion returns the version, followed by the revision of the source if the go command has
// recorded it: "0.1.0 (0123456789ab)".
func buildVersion(version string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return version + " (" + s.Value[:min(12, len(s.Value))] + ")"
		}
	}
	return version
}
