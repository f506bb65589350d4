package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
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
	pages float64 // of PostgreSQL that the query reads, in memory or not
	fault string
}

// measureOffered asks for every condition and every order that the schema offers, at the root and
// nested, one client alone. It writes their times into a page, and prints that of each.
func (b *bench) measureOffered(ctx context.Context) error {
	s, err := startServer("admin", b.programs+"/forge", b.logs, append(signed("admin"), "DATABASE_URL="+b.store.url(), "DEMO=off", "LOG_LEVEL=warn",
		"MAX_COST=1000000", "MAX_PLAN_COST="+cmp.Or(os.Getenv("MAX_PLAN_COST"), defaultPlanCost), fmt.Sprint("STATEMENT_TIMEOUT=", longest), fmt.Sprint("REQUEST_TIMEOUT=", longest+5*time.Second))...)
	if err != nil {
		return err
	}
	defer s.stop()
	if err := s.signIn(); err != nil {
		return err
	}
	if p, ok := b.store.(postgres); ok && p.counts {
		if err := p.track(ctx, "top"); err != nil {
			return err
		}
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
		if all[i].pages, err = b.pagesOf(ctx, &all[i], c); err != nil {
			return err
		}
		if all[i].fault != "" {
			c.Close()
			if c, err = dial(s, "/graphql"); err != nil {
				return err
			}
		}
		fmt.Printf("%d of %d: %s %s: %.1f ms, %.0f pages %s\n", i+1, len(all), all[i].field, all[i].asks, all[i].p50, all[i].pages, all[i].fault)
	}
	return b.writeOffered(all)
}

// measure asks the query, and sets the median of its times. A query that fails has a fault. measure
// returns the client for the next query, which is another one after a fault.
func (o *offered) measure(c *client, s *server) (*client, error) {
	var took []time.Duration
	for try := range tries + 1 {
		body := o.body(try)
		start := time.Now()
		_, err := c.post(body)
		spent := time.Since(start)
		if err != nil {
			o.fault = faultOf(err)
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

// pagesOf returns how many pages PostgreSQL reads for a query. It returns 0 for one that fails,
// which then has a fault, and if PostgreSQL does not count them.
func (b *bench) pagesOf(ctx context.Context, o *offered, c *client) (float64, error) {
	p, ok := b.store.(postgres)
	if !ok || !p.counts || o.fault != "" {
		return 0, nil
	}
	body := o.body(tries)
	return p.pages(ctx, func() error {
		if _, err := c.post(body); err != nil {
			o.fault = faultOf(err)
		}
		return nil
	})
}

// faultOf returns what the page says of an error.
func faultOf(err error) string {
	if strings.Contains(err.Error(), `"code":"TIMEOUT"`) {
		return "stopped"
	}
	if strings.Contains(err.Error(), `"code":"QUERY_TOO_COMPLEX"`) {
		return "refused"
	}
	return fmt.Sprintf("%.200s", err)
}

// body returns the request of a try.
func (o *offered) body(try int) []byte {
	body, _ := json.Marshal(map[string]string{"query": strings.Replace(o.query, "ARGS", o.args(try), 1)})
	return body
}

// offeredStart is the line of a page after which the table of offered queries stands.
const offeredStart = "<!-- table: written by bench -offered -->\n"

// defaultPlanCost is the default of MAX_PLAN_COST.
const defaultPlanCost = "2000000"

// shown is how many of the slowest queries the page shows, if not more of them take longer than
// slow.
const (
	shown = 10
	slow  = 100 // milliseconds
)

// writeOffered writes the table into the page.
func (b *bench) writeOffered(all []offered) error {
	slices.SortStableFunc(all, func(x, y offered) int { return cmp.Compare(y.p50, x.p50) })
	var above, refused, failed int
	for i := range all {
		switch {
		case all[i].fault == "refused":
			refused++
		case all[i].fault != "":
			failed++
		}
		if all[i].p50 > slow {
			above++
		}
	}
	database, err := b.store.name(context.Background())
	if err != nil {
		return err
	}
	var table strings.Builder
	fmt.Fprintf(&table, "\n%s: %s, %s. Scale %d: %d users, %d heroes, %d orders.\n\n", time.Now().Format(time.DateOnly), machine(), database,
		b.scale, 20*b.scale, 200*b.scale, 100*b.scale)
	fmt.Fprintf(&table, "Of %d queries, %d are refused, %d take more than %d ms, and %d fail. What takes %v is stopped. These are the slowest:\n\n", len(all), refused, above, slow, failed, longest)
	table.WriteString("| list | condition or order | p50 ms | pages | |\n|---|---|---:|---:|---|\n")
	for _, o := range all[:min(len(all), max(shown, above))] {
		fmt.Fprintf(&table, "| %s | %s | %.1f | %.0f | %s |\n", o.field, o.asks, o.p50, o.pages, strings.ReplaceAll(strings.ReplaceAll(o.fault, "\n", " "), "|", "\\|"))
	}
	table.WriteString("\nAll of them, by list:\n\n| list | queries | p50 ms: median | slowest | pages: median | most |\n|---|---:|---:|---:|---:|---:|\n")
	byList := map[string][]offered{}
	for _, o := range all {
		byList[o.field] = append(byList[o.field], o)
	}
	for _, name := range slices.Sorted(maps.Keys(byList)) {
		list := byList[name]
		time, slowest := spread(list, func(o offered) float64 { return o.p50 })
		pages, most := spread(list, func(o offered) float64 { return o.pages })
		fmt.Fprintf(&table, "| %s | %d | %.1f | %.1f | %.0f | %.0f |\n", name, len(list), time, slowest, pages, most)
	}
	table.WriteString("\n")
	return insert(b.offered, offeredStart, table.String())
}

// spread returns the median and the largest of the figures of queries.
func spread(list []offered, of func(offered) float64) (median, most float64) {
	figures := make([]float64, len(list))
	for i, o := range list {
		figures[i] = of(o)
	}
	slices.Sort(figures)
	return figures[len(figures)/2], figures[len(figures)-1]
}
