package api_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"forge/ent"
	"forge/internal/admission"
	"forge/internal/gqlexec"
	"forge/internal/httpserver"
	"forge/internal/metrics"
	"forge/internal/password"
	"forge/internal/session"
	"forge/internal/viewer"
	"forge/test/dbtest"
)

// guarded returns an API that people sign in to, behind everything that a request passes. The
// limits are the defaults of the settings, except for how long an operation waits for its turn.
func guarded(t *testing.T, url string, hasher *password.Hasher) *api {
	t.Helper()
	a := newBareAPI(t, url)
	a.log = slog.New(slog.DiscardHandler)
	d := a.signingIn(hasher, lifetimes)
	gate := admission.New(32, 1024, time.Minute)
	d.configure(config{Options: gqlexec.Options{Admission: gate, RequestTimeout: time.Minute}, Resolver: d.sessionResolver(session.Lifetimes{Token: time.Hour})})
	d.serve(httpserver.Routes(httpserver.Parts{API: d.handler, Admission: gate, Ready: http.NotFoundHandler(), Metrics: metrics.New(d.db), Log: d.log}))
	return d
}

// people stores n users with a password. Their names are numbers.
func (d *api) people(n int) {
	d.t.Helper()
	hash, err := d.passwords.Hash(d.t.Context(), secret)
	if err != nil {
		d.t.Fatal(err)
	}
	d.stored(func(ctx context.Context, c *ent.Client) {
		for i := range n {
			c.User.Create().SetUsername(fmt.Sprint("person", i)).SetHashedPassword(hash).ExecX(viewer.NewContext(ctx, viewer.System))
		}
	})
}

// TestSignInStorm sends a thousand sign-ins, each with another login or address. They are answered
// or refused, take no more memory than a few hashes do, and do not delay a query that comes last.
// The test measures the process, so it does not run beside other tests.
func TestSignInStorm(t *testing.T) {
	for name, make := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres} {
		t.Run(name, func(t *testing.T) {
			url := make(t)
			before := goleak.IgnoreCurrent()
			d := guarded(t, url, password.New(password.Cost{}, 0, 8))
			d.people(20)
			start := d.passwords.Made()
			var mu sync.Mutex
			codes := map[string]int{}
			var storm sync.WaitGroup
			for i := range 1000 {
				storm.Go(func() {
					login, word := fmt.Sprint("person", i%40), secret // half of them are unknown
					if i%3 == 0 {
						word = "incorrect"
					}
					got := d.from(fmt.Sprintf("192.0.%d.%d", i/250, i%250)).Do(signIn, vars{"i": vars{"login": login, "password": word}})
					if got.Code() == "UNAVAILABLE" && (got.Status != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "") {
						t.Errorf("turned away with status %d, Retry-After %q", got.Status, got.Header.Get("Retry-After"))
					}
					mu.Lock()
					defer mu.Unlock()
					codes[got.Code()]++
				})
			}
			for d.passwords.Made() == start {
				runtime.Gosched()
			}
			got := d.Do(`{ users(first: 1) { nodes { id } } }`, nil)
			if made := d.passwords.Made() - start; len(got.Errors) > 0 || made > 500 {
				t.Errorf("a query is answered after %d hashes: %s", made, got)
			}
			peak, done := uint64(0), ended(&storm)
			for running := true; running; {
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapAlloc)
				select {
				case <-done:
					running = false
				case <-time.After(5 * time.Millisecond):
				}
			}
			t.Logf("answers: %v; %d hashes; the heap had %d MiB at most", codes, d.passwords.Made()-start, peak>>20)
			for code := range codes {
				if !slices.Contains([]string{"", "UNAUTHENTICATED", "UNAVAILABLE", "RATE_LIMITED"}, code) {
					t.Errorf("%d answers are %s", codes[code], code)
				}
			}
			if codes[""]+codes["UNAUTHENTICATED"] == 0 || codes["UNAVAILABLE"] == 0 { // which of them come first is chance
				t.Errorf("the answers are %v: want some that were looked at and some that were not", codes)
			}
			if peak > 512<<20 {
				t.Errorf("the heap had %d MiB", peak>>20)
			}
			if n := d.sessions(); n != codes[""] {
				t.Errorf("%d sessions for %d answers", n, codes[""])
			}
			if n := d.db.Stats().InUse; n != 0 {
				t.Errorf("%d connections are not given back", n)
			}
			d.db.Close()
			if err := goleak.Find(before); err != nil {
				t.Error(err)
			}
		})
	}
}

func ended(wg *sync.WaitGroup) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		wg.Wait()
		close(done)
	}()
	return done
}

// TestSignInTime measures failing sign-ins, 500 because there is no such user, and 500 because the
// password is wrong, in random order. By the two-sample test of Kolmogorov and Smirnov, the times
// cannot be told apart: with D up to 1.95·√(2/n), equal distributions would be taken for different
// ones once in a thousand times. TestSignInGivesNothingAway is the short form, which counts instead
// of measuring.
func TestSignInTime(t *testing.T) {
	if os.Getenv("FORGE_SOAK") == "" {
		t.Skip("FORGE_SOAK=1 measures it")
	}
	for name, make := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres} {
		t.Run(name, func(t *testing.T) {
			d := guarded(t, make(t), password.New(password.Cost{}, 0, 0))
			d.people(20)
			const tries = 500
			took := map[string][]float64{}
			var order []string
			for range tries {
				order = append(order, "unknown", "person")
			}
			rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
			for i, kind := range order {
				login := fmt.Sprint(kind, i%20)
				start := time.Now()
				got := d.from(fmt.Sprintf("192.0.%d.%d", i/250, i%250)).Do(signIn, vars{"i": vars{"login": login, "password": "incorrect"}})
				took[kind] = append(took[kind], float64(time.Since(start)))
				if got.Code() != "UNAUTHENTICATED" {
					t.Fatal(got)
				}
			}
			distance := smirnov(took["unknown"], took["person"])
			most := 1.95 * math.Sqrt(2.0/tries)
			t.Logf("D = %.4f, at most %.4f; medians %s and %s", distance, most, median(took["unknown"]), median(took["person"]))
			if distance > most {
				t.Errorf("D = %.4f: the time tells whether there is such a user", distance)
			}
		})
	}
}

// smirnov returns the greatest distance between the distributions of two samples. It sorts both
// samples.
func smirnov(a, b []float64) (most float64) {
	slices.Sort(a)
	slices.Sort(b)
	for i, j := 0, 0; i < len(a) && j < len(b); {
		if a[i] <= b[j] {
			i++
		} else {
			j++
		}
		most = max(most, math.Abs(float64(i)/float64(len(a))-float64(j)/float64(len(b))))
	}
	return most
}

func median(sorted []float64) time.Duration { return time.Duration(sorted[len(sorted)/2]) }

func TestSmirnov(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	a, b := make([]float64, 500), make([]float64, 500)
	for i := range a {
		a[i], b[i] = r.NormFloat64(), r.NormFloat64()+0.5
	}
	if d := smirnov(a, b); d < 0.13 || d > 0.3 {
		t.Errorf("D = %.3f for distributions half a deviation apart, want about 0.2", d)
	}
	if d := smirnov(slices.Clone(a), a); d > 0.01 {
		t.Errorf("D = %.3f for the same", d)
	}
	if !strings.HasSuffix(median([]float64{1e6, 2e6, 9e6}).String(), "ms") {
		t.Error("median")
	}
}
