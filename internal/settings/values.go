package settings

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"forge/internal/database"
)

var errNotAllowed = errors.New("not allowed")

func choose(chosen *bool, value, no, yes string) error {
	if value != no && value != yes {
		return errNotAllowed
	}
	*chosen = value == yes
	return nil
}

func setBool(b *bool, value string) error {
	switch strings.ToLower(value) {
	case "on", "true", "yes", "1":
		*b = true
	case "off", "false", "no", "0":
		*b = false
	default:
		return errNotAllowed
	}
	return nil
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}

func setDatabase(s *Settings, value string) error {
	if !strings.Contains(value, "://") && !isSQLite(value) {
		return errNotAllowed // without more detail, because the value may contain a password
	}
	db, err := database.Open(value, database.Options{}) // checks the address, and does not connect
	if err != nil {
		return err
	}
	s.DatabaseURL = value
	return db.Close()
}

// setChangesURL sets the address of the connection that listens.
func setChangesURL(s *Settings, value string) error {
	if value == "none" {
		s.ChangesURL = ""
		return nil
	}
	if !strings.HasPrefix(value, "postgres://") && !strings.HasPrefix(value, "postgresql://") {
		return errNotAllowed // without more detail, because the value may contain a password
	}
	db, err := database.Open(value, database.Options{}) // checks the address, and does not connect
	if err != nil {
		return err
	}
	s.ChangesURL = value
	return db.Close()
}

func isSQLite(address string) bool { return strings.HasPrefix(address, "sqlite:") }

func sqliteOnly(s *Settings) string { return onOff(isSQLite(s.DatabaseURL)) }

func setPoolSize(s *Settings, value string) (err error) {
	s.Pool.PoolSize, err = strconv.Atoi(value)
	if err != nil || s.Pool.PoolSize < 1 || s.Pool.PoolSize > 1000 {
		return errNotAllowed
	}
	return nil
}

func setOperationNames(s *Settings, value string) (err error) {
	s.OperationNames, err = strconv.Atoi(value)
	if err != nil || s.OperationNames < 0 || s.OperationNames > 10_000 {
		return errNotAllowed
	}
	return nil
}

const wholeNumbers = "a whole number from 0 to 1000000"

// setNumber returns a setter for a number that wholeNumbers describes.
func setNumber(field func(*Settings) *int) func(*Settings, string) error {
	return setInRange(field, 0, 1_000_000)
}

// setInRange returns a setter for a number from least to most.
func setInRange(field func(*Settings) *int, least, most int) func(*Settings, string) error {
	return func(s *Settings, value string) error {
		n, err := strconv.Atoi(value)
		if err != nil || n < least || n > most {
			return errNotAllowed
		}
		*field(s) = n
		return nil
	}
}

// setInRangeOrZero returns a setter for a number from least to most, or 0.
func setInRangeOrZero(field func(*Settings) *int, least, most int) func(*Settings, string) error {
	set := setInRange(field, least, most)
	return func(s *Settings, value string) error {
		if value == "0" {
			*field(s) = 0
			return nil
		}
		return set(s, value)
	}
}

// rangeText describes the values that setInRange accepts.
func rangeText(least, most int) string {
	return fmt.Sprintf("a whole number from %d to %d", least, most)
}

// minTimeout is the shortest timeout of a connection. A shorter one would end requests that only
// take their time.
const minTimeout = 100 * time.Millisecond

// setDuration returns a setter for a duration from least to most.
func setDuration(field func(*Settings) *time.Duration, least, most time.Duration) func(*Settings, string) error {
	return func(s *Settings, value string) error {
		d, err := time.ParseDuration(value)
		if err != nil || d < least || d > most {
			return errNotAllowed
		}
		*field(s) = d
		return nil
	}
}

// durationText describes the values that setDuration accepts.
func durationText(least, most time.Duration) string {
	return "a time from " + shortest(least) + " to " + shortest(most) + ", such as 500ms or 15s"
}

// shortest formats a duration without units that are zero: "5m" instead of "5m0s".
func shortest(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}

func setApplicationName(s *Settings, value string) error {
	notPrintable := func(c rune) bool { return c < ' ' || c > '~' }
	if value == "" || len(value) > 63 || strings.ContainsFunc(value, notPrintable) {
		return errNotAllowed
	}
	s.Pool.ApplicationName = value
	return nil
}

func setLogLevel(s *Settings, value string) error {
	switch strings.ToLower(value) {
	case "debug":
		s.LogLevel = slog.LevelDebug
	case "info":
		s.LogLevel = slog.LevelInfo
	case "warn":
		s.LogLevel = slog.LevelWarn
	case "error":
		s.LogLevel = slog.LevelError
	default:
		return errNotAllowed
	}
	return nil
}
