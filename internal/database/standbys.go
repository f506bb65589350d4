package database

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// standbyNames matches the form of synchronous_standby_names that says for how many standbys a
// commit waits.
var standbyNames = regexp.MustCompile(`(?is)^\s*(?:(?:any|first)\s+)?(\d+)\s*\((.*)\)\s*$`)

// Awaited returns for how many standbys a commit waits, and how many standbys stream that
// synchronous_standby_names names. Every commit waits for ever while there are too few.
func (s State) Awaited() (wanted, named int) {
	list := s.StandbyNames
	if strings.TrimSpace(list) == "" {
		return 0, 0
	}
	wanted = 1
	if parts := standbyNames.FindStringSubmatch(list); parts != nil {
		wanted, _ = strconv.Atoi(parts[1])
		list = parts[2]
	}
	names := strings.Split(list, ",")
	for _, standby := range s.Standbys {
		if slices.ContainsFunc(names, func(name string) bool {
			name = strings.Trim(strings.TrimSpace(name), `"`)
			return name == "*" || strings.EqualFold(name, standby)
		}) {
			named++
		}
	}
	return wanted, named
}
