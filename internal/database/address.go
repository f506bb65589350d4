package database

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var errAddress = errors.New("the postgres:// address cannot be read; a password with special characters must be percent-encoded")

var errLateAt = errors.New("the postgres:// address has an @ after its hosts; it names several hosts as in USER:PASSWORD@h1:5432,h2:5433/DATABASE, " +
	"and special characters must be percent-encoded")

var errEmptyHost = errors.New("the postgres:// address has a comma without a host before or after it")

// ParseAddress parses a postgres:// address. It reads several hosts as libpq does, each with its
// own port: h1:5432,h2:5433. net/url does not read them, so they are in the parameters host and
// port of what ParseAddress returns, as lib/pq expects them. It returns an error, which does not
// contain the address, if the address cannot be read.
func ParseAddress(address string) (*url.URL, error) {
	if len(scheme.FindAllString(address, 2)) > 1 {
		return nil, errTwoAddresses
	}
	before, hosts, after := cutHosts(address)
	if !strings.Contains(hosts, ",") {
		return parse(address)
	}
	u, err := parse(before + after)
	if err != nil {
		return nil, err
	}
	q := u.Query()
	if q.Has("host") || q.Has("port") {
		return nil, errors.New("the postgres:// address names hosts twice: before the name of the database, and as parameters")
	}
	var names, ports []string
	for _, each := range strings.Split(hosts, ",") {
		name, port, err := splitHost(each)
		if err != nil {
			return nil, err
		}
		names, ports = append(names, name), append(ports, port)
	}
	q.Set("host", strings.Join(names, ","))
	q.Set("port", strings.Join(ports, ","))
	u.RawQuery = q.Encode()
	return u, nil
}

// parse parses an address of a single host, or of none. It returns an error, too, for one with an @
// after its hosts: what comes before the @ may be a password.
func parse(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errAddress
	}
	late := u.EscapedPath() + u.EscapedFragment()
	for name := range u.Query() {
		late += name
	}
	if strings.Contains(late, "@") {
		return nil, errLateAt
	}
	return u, nil
}

// scheme matches the beginning of an address.
var scheme = regexp.MustCompile(`postgres(ql)?://`)

var errTwoAddresses = errors.New("the postgres:// address has another one in it: several hosts have commas between them, as in h1:5432,h2:5432, " +
	"and the addresses of replicas have blanks")

// cutHosts returns the part of an address that names its hosts, and the parts before and after it.
func cutHosts(address string) (before, hosts, after string) {
	scheme, rest, _ := strings.Cut(address, "://")
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	start := strings.LastIndexByte(rest[:end], '@') + 1
	return scheme + "://" + rest[:start], rest[start:end], rest[end:]
}

const defaultPort = "5432"

// splitHost splits one of several hosts into its name and its port.
func splitHost(host string) (name, port string, err error) {
	name = host
	if at := strings.LastIndexByte(host, ':'); at > strings.LastIndexByte(host, ']') {
		name, port = host[:at], host[at+1:]
	}
	name, err = url.PathUnescape(strings.Trim(name, "[]"))
	switch n, portErr := strconv.ParseUint(cmp.Or(port, defaultPort), 10, 16); {
	case err != nil:
		return "", "", errAddress
	case name == "":
		return "", "", errEmptyHost
	case portErr != nil || n == 0:
		return "", "", fmt.Errorf("the postgres:// address: the port of host %s is not a number from 1 to 65535", name)
	}
	return name, cmp.Or(port, defaultPort), nil
}

// perHost returns the parameters of an address once for each of its hosts, with that host alone. It
// returns nil if the address has a single host. With several hosts, connections have to lead to the
// one that can be written, so it returns an error if the address asks for another one.
func perHost(q url.Values) ([]url.Values, error) {
	hosts, ports := strings.Split(q.Get("host"), ","), strings.Split(q.Get("port"), ",")
	if len(hosts) < 2 {
		return nil, nil
	}
	if len(ports) != 1 && len(ports) != len(hosts) {
		return nil, fmt.Errorf("the postgres:// address has %d hosts and %d ports: give one port for all of them, or one for each", len(hosts), len(ports))
	}
	if q.Has("hostaddr") {
		return nil, errors.New("the postgres:// address: hostaddr goes with a single host; with several, write addresses as the hosts")
	}
	switch attrs := cmp.Or(q.Get("target_session_attrs"), "read-write"); attrs {
	case "read-write", "primary":
	default:
		return nil, fmt.Errorf("the postgres:// address: with several hosts, target_session_attrs is read-write or primary, or is left out: with %s, "+
			"connections could lead to a server that cannot be written", attrs)
	}
	all := make([]url.Values, len(hosts))
	for i, name := range hosts {
		if name == "" {
			return nil, errEmptyHost
		}
		all[i] = maps.Clone(q)
		all[i].Set("host", name)
		all[i].Set("port", cmp.Or(ports[min(i, len(ports)-1)], defaultPort))
		setDefault(all[i], "target_session_attrs", "read-write")
		same := func(other url.Values) bool { return hostName(other) == hostName(all[i]) }
		if slices.ContainsFunc(all[:i], same) {
			return nil, fmt.Errorf("the postgres:// address names host %s twice", hostName(all[i]))
		}
	}
	return all, nil
}

// hostName returns the name and the port of a single host.
func hostName(q url.Values) string { return net.JoinHostPort(q.Get("host"), q.Get("port")) }

// Redact returns a database address without its secrets.
func Redact(address string) string {
	if strings.HasPrefix(address, "sqlite:") {
		return address
	}
	scheme, _, ok := strings.Cut(address, "://")
	if !ok {
		return "…"
	}
	if _, err := ParseAddress(address); err != nil {
		return scheme + "://…"
	}
	before, hosts, after := cutHosts(address)
	u, err := url.Parse(before + "host" + after) // package url knows no list of hosts
	if err != nil {
		return scheme + "://…"
	}
	q := u.Query()
	for name := range q {
		if slices.Contains([]string{"password", "sslkey", "sslpassword"}, strings.ToLower(name)) {
			q.Set(name, "xxxxx")
			u.RawQuery = q.Encode()
		}
	}
	before, _, after = cutHosts(u.Redacted())
	return before + hosts + after
}
