package replicas

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"forge/internal/replica"
	"forge/test/gqltest"
)

// TestTold tells clients of a new state without a query: by a message of a subscription, and by a
// mutation that is refused. Whoever sends back the position reads that state, also while the
// replica does not have it.
func TestTold(t *testing.T) {
	t.Parallel()
	c := cluster(t, 1)
	f := serve(t, c.URL("postgres"), c.Nodes[1:], "MAX_REPLICA_LAG=1h")
	id, _ := f.hero(t, "Told")
	must(t, c.Nodes[1].CaughtUp(t.Context(), c.Nodes[0]))
	f.usable(t, c.Nodes[1])
	messages := map[string]func() message{
		"heroChanges": f.subscribe(t, `subscription { heroChanges { changes { id } } }`),
		"live":        f.subscribe(t, `subscription { live(every: 100) { hero(id: "`+id+`") { age } } }`),
	}
	for _, next := range messages {
		next()
	}
	must(t, c.Nodes[1].PauseReplay(t.Context()))
	f.Must(updateHero, gqltest.Vars{"id": id, "age": 7})
	at := map[string]string{}
	for name, next := range messages {
		told := next()
		for name == "heroChanges" && !strings.Contains(string(told.Data), id) {
			told = next()
		}
		at[name], _ = told.Extensions[replica.Extension].(string)
	}
	refused := f.WantCode("CONFLICT", `mutation($id: ID!) { updateHero(id: $id, expectedVersion: 1, input: {age: 8}) { hero { age } } }`, gqltest.Vars{"id": id})
	at["CONFLICT"] = position(t, refused)
	if a := f.Must(readHero, gqltest.Vars{"id": id}); host(a) == "" || a.At("hero.age") != nil {
		t.Fatalf("without a position: %s", a)
	}
	for name, at := range at {
		if at == "" {
			t.Errorf("%s has no position", name)
		} else if a := f.after(at).Must(readHero, gqltest.Vars{"id": id}); a.At("hero.age") != 7.0 {
			t.Errorf("after %s: %s", name, a)
		}
	}
}

// message is one of a subscription.
type message struct {
	Data       json.RawMessage
	Extensions map[string]any
}

// subscribe begins a subscription, and returns what returns its next message.
func (f *forge) subscribe(t *testing.T, query string) (next func() message) {
	t.Helper()
	body, err := json.Marshal(gqltest.Vars{"query": query})
	must(t, err)
	r, err := http.NewRequestWithContext(t.Context(), "POST", f.url+"/graphql", strings.NewReader(string(body)))
	must(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "text/event-stream")
	client := &http.Client{Timeout: time.Minute}
	response, err := client.Do(r)
	must(t, err)
	t.Cleanup(func() { response.Body.Close() })
	lines := bufio.NewScanner(response.Body)
	return func() (m message) {
		t.Helper()
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				must(t, json.Unmarshal([]byte(data), &m))
				return m
			}
		}
		t.Fatalf("%s has ended: %v", query, lines.Err())
		return m
	}
}
