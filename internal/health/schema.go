package health

import (
	"context"
	"sync"
	"time"
)

// compareEvery is how often the schema is compared while nothing suggests that it has changed.
const compareEvery = 10 * time.Second

// checker compares the schema of a database with the migrations; see migrator.Checker.
type checker interface {
	Print(ctx context.Context) (string, error)
	Check(ctx context.Context) error
}

// schema keeps the result of the last comparison. As long as it was good and no migration has been
// applied or undone since, a check takes one short statement, and the schema is compared again
// beside it every 10 seconds, so that a change by hand is found.
type schema struct {
	checker checker
	now     func() time.Time

	mu        sync.Mutex
	print     string    // of the versions at the last comparison; "" if it was not good
	compared  time.Time // when the last comparison began
	comparing bool      // one runs beside checks
}

// check returns the result of the last comparison, or of a new one.
func (s *schema) check(ctx context.Context) error {
	print, err := s.checker.Print(ctx)
	s.mu.Lock()
	known := err == nil && print == s.print
	due := known && !s.comparing && s.now().Sub(s.compared) >= compareEvery
	s.comparing = s.comparing || due
	s.mu.Unlock()
	switch {
	case due:
		go s.compareBeside(print)
		return nil
	case known:
		return nil
	}
	return s.compare(ctx, print) // an error tells more than that of the statement
}

func (s *schema) compareBeside(print string) {
	ctx, cancel := context.WithTimeout(context.Background(), probeTimeout)
	defer cancel()
	_ = s.compare(ctx, print) // the next check compares again, and returns the error
	s.mu.Lock()
	defer s.mu.Unlock()
	s.comparing = false
}

// compare compares the schema. print is that of the versions before.
func (s *schema) compare(ctx context.Context, print string) error {
	began := s.now()
	err := s.checker.Check(ctx)
	if err != nil {
		print = ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.print, s.compared = print, began
	return err
}
