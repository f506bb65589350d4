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

// statement is a statement that is kept for later requests.
type statement struct {
	*sql.Statement
	slots [][]int // of a tree; see sql.Tree
	// loaders are those of a tree, but for the first. The key has their addresses, and no other
	// loader gets one of these as long as they are kept here.
	loaders []*Loader
	shared  *shared // nil if requests cannot share it
	uses    atomic.Int64
}

// shared is what requests that share a statement have in common. Each has its own arguments.
type shared struct {
	group    coalesce.Group[rowsRequest]
	patience time.Duration             // how long a request waits for a run to begin
	batch    atomic.Pointer[sql.Batch] // nil until a batch needed it
}

// cache keeps the statements of a node. Its keys hold everything that a text depends on, except for
// the context: interceptors and policies may add conditions that depend on it. So each statement
// records which values it asked its context for, and is used again only for a context with the same
// values. Package rule says what a policy may depend on.
type cache struct {
	mu       sync.RWMutex
	byKey    map[string]*statement
	bytes    int         // of the keys and texts
	disabled atomic.Bool // a policy has broken the rule, and nothing is kept
}

// These bound how many statements are kept for one node, and the bytes of their keys and texts.
// Each size of a page has a statement of its own.
const (
	statementsPerNode = 32
	bytesPerNode      = 64 << 10
)

func (c *cache) add(key []byte, s *statement) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey == nil {
		c.byKey = map[string]*statement{}
	}
	bytes := len(key) + len(s.Text)
	if known := c.byKey[string(key)]; known != nil {
		bytes -= len(key) + len(known.Text)
	} else if len(c.byKey) == statementsPerNode {
		return
	}
	if c.bytes+bytes <= bytesPerNode {
		c.byKey[string(key)] = s
		c.bytes += bytes
	}
}

// statement returns the statement of the query, from the cache or newly written. A statement with
// conditions is not kept, because nearly every set of conditions has its own text.
func (f *fetch) statement(ctx context.Context) (*statement, error) {
	if !f.keepable() {
		return f.write(ctx)
	}
	var space [128]byte
	return f.memory.statements.statement(ctx, f.key(space[:0]), f, func() (*statement, error) { return f.write(ctx) })
}

// keepable reports whether the text can be used again.
func (f *fetch) keepable() bool {
	q := &f.query
	return q.Where == nil && q.Restrict == nil && (q.Summary == nil || q.Summary.Having == nil)
}

// statement returns the statement of a key, written before or now. It is the statement of the
// fetch, or a tree that begins with that.
func (c *cache) statement(ctx context.Context, key []byte, of *fetch, write func() (*statement, error)) (*statement, error) {
	c.mu.RLock()
	s := c.byKey[string(key)]
	c.mu.RUnlock()
	if s == nil || !s.Dependencies.Hold(ctx) || c.disabled.Load() {
		s, err := write()
		if err == nil {
			c.add(key, s)
		}
		return s, err
	}
	of.loading.dependencies.Add(s.Statement)
	if n := s.uses.Add(1); n&(n-1) == 0 {
		return s, c.check(s, of, write)
	}
	return s, nil
}

// key appends everything that the text depends on, except for the node and the context. The host is
// added because requests share a statement only if they run it on the same host.
func (f *fetch) key(b []byte) []byte {
	q, p := &f.query, f.query.Page
	if host := f.loading.Request.Unit.Host(); host != 0 {
		b = append(strconv.AppendInt(b, int64(host), 10), '@')
	}
	b = append(append(b, byte('0'+q.Viewer.Role)), q.Viewer.Roles...)
	b = strconv.AppendBool(strconv.AppendBool(strconv.AppendBool(b, q.Viewer.Tenant != ""), q.Search != nil), q.Deleted)
	b = q.Summary.AppendKey(strconv.AppendBool(b, len(q.Keys) > 1))
	if p == nil {
		return b
	}
	b = strconv.AppendInt(b, int64(p.Limit), 10)
	b = strconv.AppendBool(b, p.Offset > 0)
	b = strconv.AppendBool(b, p.Backward)
	for _, t := range p.Order {
		b = strconv.AppendBool(append(append(b, ','), t.Name()...), t.Desc)
	}
	b = strconv.AppendBool(strconv.AppendBool(b, p.AfterToo), p.BeforeToo)
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
	written := &statement{Statement: s}
	if f.keepable() && f.query.Batchable() {
		written.shared = &shared{patience: batchPatience}
	}
	return written, nil
}

// check writes a kept statement anew, at its first, second, fourth, eighth … use, and compares. If
// they differ, it returns an error, and the node's statements are not kept any more: a policy or an
// interceptor depends on something that it does not ask its context for, and a kept statement could
// show rows that the viewer must not see.
func (c *cache) check(kept *statement, of *fetch, write func() (*statement, error)) error {
	now, err := write()
	if err != nil {
		return err
	}
	if now.Equal(kept.Statement) {
		return nil
	}
	c.disabled.Store(true)
	return fmt.Errorf("read: a policy or an interceptor of %s, or of what is read below it, depends on something that it does not ask its context for; "+
		"see rule.Policy. The statement was %q and is now %q", of.query.Node.Object.Entity.Name, kept.Text, now.Text)
}
