package cluster

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// register is the state of a team as clients see it: a name that can only be set together with the
// version that they have seen.
type register struct {
	version int
	name    string
}

// call is a read, or an attempt to set a name at a version.
type call struct {
	set     bool
	version int
	name    string
}

// reply is what a client was told.
type reply struct {
	register          // after a read, and the version after a conflict
	conflict, unknown bool
}

// model says which replies are right. An attempt whose outcome is unknown either sets the name, or
// does nothing, as it does when it comes last.
var model = porcupine.Model{
	Init: func() any { return register{version: 1, name: "0"} },
	Step: func(state, input, output any) (bool, any) {
		is, in, out := state.(register), input.(call), output.(reply)
		switch {
		case !in.set:
			return out.register == is, is
		case in.version != is.version:
			return out.unknown || out.conflict && out.version == is.version, is
		case out.conflict:
			return false, is
		}
		return true, register{is.version + 1, in.name}
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v: %+v", input, output) },
}

// TestModel checks that the model refuses what no register would say.
func TestModel(t *testing.T) {
	read := func(version int, name string, at int64) porcupine.Operation {
		return porcupine.Operation{Input: call{}, Output: reply{register: register{version, name}}, Call: at, Return: at + 1}
	}
	set := func(version int, name string, out reply, at, until int64) porcupine.Operation {
		return porcupine.Operation{Input: call{true, version, name}, Output: out, Call: at, Return: until}
	}
	conflict := func(version int) reply { return reply{register: register{version: version}, conflict: true} }
	const never = 1 << 62
	for name, tt := range map[string]struct {
		history []porcupine.Operation
		want    bool
	}{
		"as it should be":                   {[]porcupine.Operation{set(1, "a", reply{}, 0, 1), set(1, "b", conflict(2), 2, 3), read(2, "a", 4)}, true},
		"acknowledged and lost":             {[]porcupine.Operation{set(1, "a", reply{}, 0, 1), read(1, "0", 2)}, false},
		"set twice at one version":          {[]porcupine.Operation{set(1, "a", reply{}, 0, 3), set(1, "b", reply{}, 1, 2)}, false},
		"a conflict with what it has set":   {[]porcupine.Operation{set(1, "a", conflict(2), 0, 1), read(2, "a", 2)}, false},
		"unknown and set":                   {[]porcupine.Operation{set(1, "a", reply{unknown: true}, 0, never), read(2, "a", 2)}, true},
		"unknown and not set":               {[]porcupine.Operation{set(1, "a", reply{unknown: true}, 0, never), read(1, "0", 2)}, true},
		"unknown, read, and then not there": {[]porcupine.Operation{set(1, "a", reply{unknown: true}, 0, never), read(2, "a", 2), read(1, "0", 4)}, false},
	} {
		for i := range tt.history {
			tt.history[i].ClientId = i
		}
		if got := porcupine.CheckOperations(model, tt.history); got != tt.want {
			t.Errorf("%s: %t, want %t", name, got, tt.want)
		}
	}
}

// TestRegister has clients read a team and set its name with expectedVersion, through all servers,
// while primaries are killed. What they are told is what one register would have told them.
func TestRegister(t *testing.T) {
	s := serve(t)
	team := s.Must(`mutation { createTeam(input: {name: "0"}) { team { id version } } }`, nil).Text("createTeam.team.id")
	begin := time.Now()
	since := func() int64 { return int64(time.Since(begin)) }
	var mu sync.Mutex
	var history []porcupine.Operation
	counts := map[string]int{}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all sync.WaitGroup
	for client := range clients {
		all.Go(func() {
			last := 1
			for n := 0; ctx.Err() == nil; n++ {
				in := call{set: n%2 == 1, version: last, name: fmt.Sprintf("%d-%d", client, n)}
				if rand.IntN(4) == 0 {
					in.version-- // stale on purpose
				}
				called := since()
				out, kind := s.try(team, in)
				returned := since()
				if out.version > 0 {
					last = out.version
				}
				if out.unknown {
					returned = 1 << 62
				}
				mu.Lock()
				counts[kind]++
				if kind != "unavailable" { // it says that nothing was done
					history = append(history, porcupine.Operation{ClientId: len(history), Input: in, Call: called, Output: out, Return: returned})
				}
				mu.Unlock()
				time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond)
			}
		})
	}
	primary := s.Nodes[0]
	for range sized(2, 15) {
		time.Sleep(time.Second)
		s.must(primary.Kill())
		next, err := s.Failover(t.Context(), s.others(primary)...)
		s.must(err)
		time.Sleep(time.Second)
		s.must(primary.Rejoin(next))
		s.must(primary.CaughtUp(t.Context(), next))
		primary = next
	}
	cancel()
	all.Wait()
	t.Logf("%d operations: %v", len(history), counts)
	if result := porcupine.CheckOperationsTimeout(model, history, time.Minute); result != porcupine.Ok {
		t.Errorf("the history is %s: clients were told what no single register would have told them", result)
	}
	for _, kind := range []string{"read", "set", "conflict"} {
		if counts[kind] == 0 {
			t.Errorf("no operation was a %s", kind)
		}
	}
}

// try carries out a call. kind says what became of it.
func (s *system) try(team string, in call) (out reply, kind string) {
	if !in.set {
		got := s.Send(background, `query($id: ID!) { node(id: $id) { ... on Team { name version } } }`, vars{"id": team})
		if !got.OK() {
			wantUnavailable(s.t, got)
			return reply{}, "unavailable"
		}
		return reply{register: register{got.Number("node.version"), got.Text("node.name")}}, "read"
	}
	got := s.Send(background, `mutation($id: ID!, $name: String!, $v: Int!) { updateTeam(id: $id, input: {name: $name}, expectedVersion: $v) { team { version } } }`,
		vars{"id": team, "name": in.name, "v": in.version})
	switch {
	case got.OK():
		return reply{register: register{version: got.Number("updateTeam.team.version")}}, "set"
	case got.Code() == "CONFLICT":
		version, _ := got.Extension("currentVersion").(float64)
		return reply{register: register{version: int(version)}, conflict: true}, "conflict"
	}
	wantUnavailable(s.t, got)
	if got.Extension("outcome") == "unknown" {
		return reply{unknown: true}, "unknown"
	}
	return reply{}, "unavailable"
}
