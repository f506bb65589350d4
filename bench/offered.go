package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// tries is how often each offered query is asked, each time with other values. A query that takes
// longer than tooLong is asked once.
const (
	tries   = 7
	tooLong = 2 * time.Second
	longest = 20 * time.Second // STATEMENT_TIMEOUT
)

// offered is one query that the schema offers: a connection with one condition or one order.
type offered struct {
	asks  string // the condition or the order
	field string // the connection, or the connection around it and the nested one
	args  func(try int) string
	query string  // with ARGS for the arguments
	p50   float64 // milliseconds
	fault string
}

// measureOffered asks for every condition and every order that the schema offers, at the root and
// nested, one client alone. It writes a page with the time of each, the slowest first.
func (b *bench) measureOffered(ctx context.Context) error {
	s, err := startServer("admin", b.programs+"/forge", b.logs, append(signed("admin"), "DATABASE_URL="+b.store.url(), "DEMO=off", "LOG_LEVEL=warn",
		"MAX_COST=1000000", fmt.Sprint("STATEMENT_TIMEOUT=", longest), fmt.Sprint("REQUEST_TIMEOUT=", longest+5*time.Second))...)
	if err != nil {
		return err
	}
	defer s.stop()
	if err := s.signIn(); err != nil {
		return err
	}
	c, err := dial(s, "/graphql")
	if err != nil {
		return err
	}
	other, err := dial(s, "/graphql")
	if err != nil {
		return err
	}
	schema, err := introspect(c)
	if err != nil {
		return err
	}
	all, err := (&offers{api: schema, client: other}).all()
	if err != nil {
		return err
	}
	for i := range all {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if c, err = all[i].measure(c, s); err != nil {
			return err
		}
		fmt.Printf("%d of %d: %s %s: %.1f ms %s\n", i+1, len(all), all[i].field, all[i].asks, all[i].p50, all[i].fault)
	}
	return b.writeOffered(all)
}

// measure asks the query, and sets the median of its times. A query that fails has a fault. measure
// returns the client for the next query, which is another one after a fault.
func (o *offered) measure(c *client, s *server) (*client, error) {
	var took []time.Duration
	for try := range tries + 1 {
		body, _ := json.Marshal(map[string]string{"query": strings.Replace(o.query, "ARGS", o.args(try), 1)})
		start := time.Now()
		_, err := c.post(body)
		spent := time.Since(start)
		if err != nil {
			o.fault = fmt.Sprintf("%.200s", err)
			c.Close()
			if c, err = dial(s, "/graphql"); err != nil {
				return nil, errors.New("the server has ended")
			}
			took = []time.Duration{spent}
			break
		}
		if try > 0 || spent > tooLong { // the first is asked to fill caches
			took = append(took, spent)
		}
		if spent > tooLong {
			break
		}
	}
	slices.Sort(took)
	o.p50 = float64(took[len(took)/2].Microseconds()) / 1000
	return c, nil
}

// writeOffered writes the page.
func (b *bench) writeOffered(all []offered) error {
	slices.SortStableFunc(all, func(x, y offered) int { return cmp.Compare(y.p50, x.p50) })
	var slow, failed int
	for i := range all {
		if all[i].p50 > 100 {
			slow++
		}
		if all[i].fault != "" {
			failed++
		}
	}
	database, err := b.store.name(context.Background())
	if err != nil {
		return err
	}
	var page strings.Builder
	fmt.Fprintf(&page, "# Every offered query at scale\n\nWritten by `make scale`: %s, %s, %s. %d users, %d heroes, %d orders.\n\n", time.Now().Format(time.DateOnly), machine(), database,
		20*b.scale, 200*b.scale, 100*b.scale)
	fmt.Fprintf(&page, "Each row is a page of 20 rows, asked by one administrator %d times with different values; p50 is the whole\nrequest. Of %d queries, %d take more than 100 ms, and %d fail.\n\n",
		tries, len(all), slow, failed)
	page.WriteString("| connection | condition or order | p50 ms | |\n|---|---|---:|---|\n")
	for _, o := range all {
		fmt.Fprintf(&page, "| %s | %s | %.1f | %s |\n", o.field, o.asks, o.p50, strings.ReplaceAll(strings.ReplaceAll(o.fault, "\n", " "), "|", "\\|"))
	}
	return os.WriteFile(b.offered, []byte(page.String()), 0o644)
}
