package load

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"forge/internal/coalesce"
	"forge/internal/read/sql"
)

// statement is a statement that is kept.
type statement struct {
	*sql.Statement
	shared *shared // nil if requests cannot share it
	uses   atomic.Int64
}

// shared is a statement that requests share, each with arguments of its own.
type shared struct {
	group    coalesce.Group[rowsRequest]
	patience time.Duration             // how long a request waits for a run to begin
	batch    atomic.Pointer[sql.Batch] // nil until it was needed
}

// cache keeps the statements of a node by everything that their texts depend on but one thing: what
// interceptors and policies add may depend on the context. So a statement is used again only where
// the context gives the same answers to what it was asked while the statement was written. The rule
// for policies stands in package rule.
type cache struct {
	mu       sync.RWMutex
	byKey    map[string]*statement
	disabled atomic.Bool // a policy breaks the rule
}

// statementsPerNode bounds what is kept for one node, whose pages may be of any size.
const statementsPerNode = 32

func (c *cache) add(key []byte, s *statement) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey == nil {
		c.byKey = map[string]*statement{}
	}
	if c.byKey[string(key)] != nil || len(c.byKey) < statementsPerNode {
		c.byKey[string(key)] = s
	}
}

// statement returns the statement of the query, written before or now. One with conditions is not
// kept: they make for too many texts.
func (f *fetch) statement(ctx context.Context) (*statement, error) {
	if f.query.Where != nil || f.query.Restrict != nil {
		return f.write(ctx)
	}
	var space [128]byte
	key, c := f.key(space[:0]), &f.memory.statements
	c.mu.RLock()
	s := c.byKey[string(key)]
	c.mu.RUnlock()
	if s != nil && s.Dependencies.Hold(ctx) && !c.disabled.Load() {
		if f.loading.dependencies != nil {
			f.loading.dependencies.Add(s.Statement)
		}
		if n := s.uses.Add(1); n&(n-1) == 0 {
			return s, f.check(ctx, s)
		}
		return s, nil
	}
	s, err := f.write(ctx)
	if err == nil {
		if f.query.Batchable() {
			s.shared = &shared{patience: batchPatience}
		}
		c.add(key, s)
	}
	return s, err
}

// key appends everything that the text depends on beside the node and the context.
func (f *fetch) key(b []byte) []byte {
	q, p := &f.query, f.query.Page
	b = append(b, byte('0'+q.Viewer.Role))
	b = strconv.AppendBool(b, len(q.Columns) == 0)
	b = strconv.AppendBool(b, len(q.Keys) > 1)
	if p == nil {
		return b
	}
	b = strconv.AppendInt(b, int64(p.Limit), 10)
	b = strconv.AppendBool(b, p.Offset > 0)
	b = strconv.AppendBool(b, p.Backward)
	for _, t := range p.Order {
		b = strconv.AppendBool(append(append(b, ','), t.Column...), t.Desc)
	}
	b = appendNulls(b, p.After)
	return appendNulls(b, p.Before)
}

func appendNulls(b []byte, cursor []any) []byte {
	b = append(b, ';')
	for _, value := range cursor {
		b = strconv.AppendBool(b, value == nil)
	}
	return b
}

func (f *fetch) write(ctx context.Context) (*statement, error) {
	s, err := f.query.Write(ctx, f.loading.Request.Writer)
	if err != nil {
		return nil, err
	}
	f.loading.dependencies.Add(s)
	return &statement{Statement: s}, nil
}

// check writes a kept statement anew, at its first, second, fourth, eighth … use, and compares. If
// they differ, it returns an error, and the node's statements are not kept any more: a policy or an
// interceptor depends on something that it does not ask its context for, and a kept statement could
// show rows that the viewer must not see.
func (f *fetch) check(ctx context.Context, kept *statement) error {
	now, err := f.query.Write(ctx, f.loading.Request.Writer)
	if err != nil {
		return err
	}
	if now.Equal(kept.Statement) {
		return nil
	}
	f.memory.statements.disabled.Store(true)
	return fmt.Errorf("read: a policy or an interceptor of %s depends on something that it does not ask its context for; see rule.Policy. "+
		"The statement was %q and is now %q", f.query.Node.Object.Entity.Name, kept.Text, now.Text)
}
