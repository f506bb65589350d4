package metrics

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestPageShared has many clients ask for the page while it is made. One page is made at a time.
// The clients that wait share the next one, which was begun after they asked.
func TestPageShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var made, running, most atomic.Int64
		p := &page{handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			most.Store(max(most.Load(), running.Add(1)))
			w.Header().Set("Content-Type", "text/plain")
			n := made.Add(1)
			time.Sleep(time.Second)
			_, _ = w.Write([]byte(strconv.FormatInt(n, 10)))
			running.Add(-1)
		})}
		var clients sync.WaitGroup
		ask := func(want string) {
			clients.Go(func() {
				w := httptest.NewRecorder()
				p.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
				if w.Body.String() != want || w.Code != 200 || w.Header().Get("Content-Type") != "text/plain" {
					t.Errorf("%d %v %s, want %s", w.Code, w.Header(), w.Body, want)
				}
			})
		}
		ask("1")
		synctest.Wait()
		for range 400 {
			ask("2")
		}
		clients.Wait()
		ask("3")
		clients.Wait()
		if made.Load() != 3 || most.Load() != 1 {
			t.Errorf("%d pages, %d at once; want 3, one at a time", made.Load(), most.Load())
		}
	})
}
