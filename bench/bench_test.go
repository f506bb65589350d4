package main

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestCheck(t *testing.T) {
	one := load{workload: workloads[0]}
	fixed := load{workload: workloads[0], answer: []byte(`{"data":1}`)}
	for _, tt := range []struct {
		load   load
		answer string
		right  bool
	}{
		{one, `{"data":{"user":{"id":"user_1"}}}`, true},
		{one, `{"data":{"user":null}}`, false},
		{one, `{"data":{"user":{"id":"user_2"}}}`, false},
		{one, `{"data":{"user":{"id":"user_1"},"b":{"id":"user_1"}}}`, false},
		{fixed, `{"data":1}`, true},
		{fixed, `{"data":2}`, false},
	} {
		if err := tt.load.check(&request{holds: "user_1"}, []byte(tt.answer)); (err == nil) != tt.right {
			t.Errorf("%s: %v", tt.answer, err)
		}
	}
}

// TestRequests checks that the requests of every workload are JSON, for both kinds of target, and
// have the variables that its query declares.
func TestRequests(t *testing.T) {
	k := &keys{}
	for range 100 {
		k.users = append(k.users, userKey{"user_1", "cursor"})
		k.products = append(k.products, "product_1")
	}
	for _, w := range workloads {
		for _, form := range []form{graphql(w), plain(w)} {
			r := w.next(k, rand.New(rand.NewPCG(1, 1)))
			var body struct {
				Query     string
				Variables map[string]any
			}
			if err := json.Unmarshal(form.body(nil, &r), &body); err != nil {
				t.Errorf("%s: %v", w.name, err)
			}
			for name := range body.Variables {
				if !form.plain && !strings.Contains(body.Query, "$"+name+":") {
					t.Errorf("%s: the query declares no $%s", w.name, name)
				}
			}
			if form.plain && body.Query != "" || !form.plain && strings.Count(body.Query, "$") != 2*len(body.Variables) {
				t.Errorf("%s: query %q with %v", w.name, body.Query, body.Variables)
			}
		}
	}
}

func TestOptions(t *testing.T) {
	for _, tt := range []struct{ args, wrong string }{
		{"-workloads=w1,w7 -rounds=1", ""},
		{"-targets=limit", ""},
		{"-workloads=w8", `WORKLOADS: "w8"`},
		{"-targets=base", `TARGETS: "base"`},
		{"-database=sqlite -targets=limit", `TARGETS: "limit"`},
		{"-targets=alone,limit-one -workloads=w2d,w3d,w4d", ""},
		{"-database=sqlite -targets=limit-one", `TARGETS: "limit-one"`},
		{"-rtt=0,0.5ms,2ms", ""},
		{"-rtt=2", `RTT: "2"`},
		{"-rtt=-2ms", `RTT: "-2ms"`},
		{"-rtt=2ms -database=sqlite", "RTT=2ms: SQLite"},
		{"-rtt=0 -database=sqlite", ""},
		{"-database=sqlite -targets=forge,stock", ""},
		{"-database=mysql", `DATABASE="mysql"`},
		{"-scale=4", "SCALE=4"},
		{"-duration=1ms", "DURATION=1ms"},
		{"-connections=0", "CONNECTIONS=0"},
		{"-statements -workloads=w6,w7 -targets=forge,limit", ""},
		{"-statements -database=sqlite", "STATEMENTS"},
		{"w1", `"w1"`},
	} {
		_, err := parseOptions(strings.Fields(tt.args))
		if tt.wrong == "" && err != nil || tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong)) {
			t.Errorf("%s: %v, want %q", tt.args, err, tt.wrong)
		}
	}
	t.Setenv("ROUNDS", "many")
	if _, err := parseOptions(nil); err == nil || !strings.Contains(err.Error(), `ROUNDS="many"`) {
		t.Errorf("ROUNDS=many: %v", err)
	}
	t.Setenv("ROUNDS", "7")
	if o, err := parseOptions(nil); err != nil || strings.Join(o.targets, ",") != "forge,limit" {
		t.Errorf("without -targets: %+v, %v", o, err)
	}
	if o, err := parseOptions([]string{"-targets=limit"}); err != nil || o.rounds != 7 || strings.Join(o.targets, ",") != "forge,limit" {
		t.Errorf("ROUNDS=7 and -targets=limit: %+v, %v", o, err)
	}
}

// TestPublish writes a fixed result into a page, and compares the page.
func TestPublish(t *testing.T) {
	r := result{Date: "today", Machine: "2 × <fast>", Scale: 5, Statements: map[string]map[string]*statements{"w1": {"forge": {1, 2}, "limit": {1, 0}}}}
	for _, n := range []int{900, 100, 300} {
		r.Rounds = append(r.Rounds, &round{Workload: "w1", Target: "forge", RTT: time.Millisecond, Requests: 1, Seconds: 1}) // is left out
		r.Rounds = append(r.Rounds, &round{Workload: "w1", Target: "forge", Requests: n, Seconds: 1, P99: 2, Server: .3},
			&round{Workload: "w1", Target: "limit", Requests: 2 * n, Seconds: 1, P99: 1, Server: .3})
	}
	dir := t.TempDir()
	page, from := filepath.Join(dir, "performance.md"), filepath.Join(dir, "result.json")
	if err := r.write(from); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(page, []byte("before\n"+tableStart+"old\n"+tableEnd+"after\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := publish(from, dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	row := "| W1 | one user by ID | 300 / 600 | **0.500** | 0.00 / 0.00 | 0.00 / 0.00 | 2.00 / 1.00 | 1.000 / 0.500 |"
	for _, want := range []string{"before\n" + tableStart, row, "1.0 + 2.0 / 1.0", tableEnd + "after\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the page has no %q:\n%s", want, text)
		}
	}
	if strings.Contains(string(text), "old") {
		t.Error("the old table is still there")
	}
	chart, err := os.ReadFile(filepath.Join(dir, "performance.svg"))
	if err != nil || !strings.Contains(string(chart), ">0.50</text>") || strings.Contains(string(chart), "<fast>") {
		t.Errorf("the chart: %v\n%s", err, chart)
	}
	if err := os.WriteFile(page, []byte("no place"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := publish(from, dir); err == nil {
		t.Error("a page without a place for the table is taken")
	}
}
