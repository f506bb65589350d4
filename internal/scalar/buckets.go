package scalar

import (
	"fmt"
	"regexp"
	"sync"
	"time"
	_ "time/tzdata" // so that time zones are known on every machine
)

// zoneName is the form of the names that mean the same for Go and PostgreSQL. Names without a place
// in them, such as EST and CET, are abbreviations for PostgreSQL, which never change their clocks.
var zoneName = regexp.MustCompile(`^[A-Z][A-Za-z_]{1,20}(/[A-Za-z0-9_+-]{1,30}){1,2}$`)

// zones holds the time zones that were asked for, by name. Each is one of the database of time
// zones, so there are some hundreds at most.
var zones sync.Map

// Zone returns the time zone of a name, such as Europe/Berlin.
func Zone(name string) (*time.Location, error) {
	if name == "UTC" {
		return time.UTC, nil
	}
	if known, ok := zones.Load(name); ok {
		return known.(*time.Location), nil
	}
	if !zoneName.MatchString(name) {
		return nil, invalid("%s is no time zone: one is UTC, or an area and a place, as in Europe/Berlin", quoted(name))
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, invalid("%s is a time zone that nobody knows: one is UTC, or an area and a place, as in Europe/Berlin", quoted(name))
	}
	zones.Store(name, zone)
	return zone, nil
}

// Bucket returns the moment at which the unit of time began that t is in, as the clocks of a time
// zone show it. The unit is HOUR, DAY, WEEK, MONTH, QUARTER or YEAR; weeks begin on Monday. It
// follows the rules of PostgreSQL's date_trunc: where clocks are put back over the beginning, it is
// the later of the two moments, and where they are put forward over it, the moment of the change.
func Bucket(unit string, t time.Time, zone *time.Location) (time.Time, error) {
	_, offset := t.In(zone).Zone()
	local := t.UTC().Add(time.Duration(offset) * time.Second) // the time on the clocks, as if in UTC
	if unit == "HOUR" {
		return floorHour(local).Add(-time.Duration(offset) * time.Second), nil
	}
	year, month, day := local.Date()
	switch unit {
	case "DAY":
	case "WEEK":
		day -= (int(local.Weekday()) + 6) % 7
	case "MONTH":
		day = 1
	case "QUARTER":
		month, day = (month-1)/3*3+1, 1
	case "YEAR":
		month, day = 1, 1
	default:
		return t, fmt.Errorf("scalar: times are not cut to %q", unit)
	}
	return momentOf(time.Date(year, month, day, 0, 0, 0, 0, time.UTC), zone), nil
}

// floorHour cuts a time to the hour. Truncate would count from another zero for early years.
func floorHour(t time.Time) time.Time {
	year, month, day := t.Date()
	return time.Date(year, month, day, t.Hour(), 0, 0, 0, time.UTC)
}

// momentOf returns the moment at which the clocks of a time zone show a time, which is given as if
// in UTC. Where none or several do, it chooses as PostgreSQL does (DetermineTimeZoneOffset): it
// looks at the first change of the clocks after the day before.
func momentOf(local time.Time, zone *time.Location) time.Time {
	before := local.AddDate(0, 0, -1).In(zone)
	_, offset := before.Zone()
	early := local.Add(-time.Duration(offset) * time.Second)
	_, change := before.ZoneBounds()
	if change.IsZero() {
		return early
	}
	_, offset = change.Zone()
	late := local.Add(-time.Duration(offset) * time.Second)
	switch {
	case early.Before(change) && late.Before(change):
		return early
	case early.After(change) && !late.Before(change):
		return late
	case early.After(late): // the clocks are put forward, and skip the time
		return early
	}
	return late
}
