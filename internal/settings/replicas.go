package settings

import (
	"errors"
	"slices"
	"strings"

	"forge/internal/database"
)

// Reads says where queries are read.
type Reads string

// These are the values of Reads.
const (
	ReadsPrimary Reads = "primary"
	ReadsReplica Reads = "replica"
	ReadsFresh   Reads = "replica-if-fresh"
)

// setReplicas sets the addresses of replicas.
func setReplicas(s *Settings, value string) error {
	s.Replicas = nil
	if value == "none" {
		return nil
	}
	if isSQLite(s.DatabaseURL) {
		return errors.New("a database of SQLite has no replicas")
	}
	addresses := strings.Fields(value)
	var hosts []string
	for _, address := range addresses {
		if err := database.CheckReplica(address); err != nil {
			return err
		}
		if hosts = append(hosts, database.HostOf(address)); slices.Contains(hosts[:len(hosts)-1], hosts[len(hosts)-1]) {
			return errors.New("a replica is named twice: " + hosts[len(hosts)-1])
		}
	}
	s.Replicas = addresses
	return nil
}

// showReplicas returns the addresses without their secrets.
func showReplicas(value string) string {
	if value == "none" {
		return value
	}
	addresses := strings.Fields(value)
	for i, address := range addresses {
		addresses[i] = database.Redact(address)
	}
	return strings.Join(addresses, " ")
}

func setReads(s *Settings, value string) error {
	switch s.Reads = Reads(value); s.Reads {
	case ReadsPrimary:
		return nil
	case ReadsReplica, ReadsFresh:
		if len(s.Replicas) == 0 {
			return errors.New("DATABASE_REPLICAS names no replica")
		}
		return nil
	}
	return errNotAllowed
}
