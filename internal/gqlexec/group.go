package gqlexec

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/apperr"
	"forge/internal/changes"
	"forge/internal/read"
	"forge/internal/read/binding"
	"forge/internal/read/plan"
	"forge/internal/stream"
	"forge/internal/telemetry"
	"forge/internal/viewer"
)

// groups are the groups of subscriptions.
type groups struct {
	turns chan struct{} // has a value for each answer that is being made; see maxEvaluations
	mu    sync.Mutex
	all   map[groupKey]*group
}

// groupKey tells which subscriptions get the same answers.
type groupKey struct {
	operation [sha256.Size]byte // of document, name and variables
	viewer    viewer.Viewer     // without an ID if the answers do not depend on it
	language  string            // of errors
}

// group are subscriptions that get the same answers. Each answer is made once for all of them.
type group struct {
	*executor
	groups *groups
	key    groupKey
	size   int             // subscriptions; groups.mu guards it
	ctx    context.Context // with the viewer; it does not end
	op     *graphql.OperationContext
	doc    *ast.QueryDocument
	root   *ast.Field
	// selects reports whether a change can make another answer.
	selects func(*changes.Change) bool
	record  *telemetry.Record // of the operation with which the group began
	stop    func()

	mu      sync.Mutex
	members map[*subscription]struct{}
	memo    *evaluation // the last one; it may be nil
	live    *live       // nil if the group is told of changes
}

// evaluation is an answer that is being made, or has been made.
type evaluation struct {
	after  changes.Position
	done   chan struct{}
	answer *stream.Answer
	next   changes.Position
	heard  bool   // it tells of changes
	last   bool   // it says why there are no further ones
	err    error  // it is to be made again
	number uint64 // of live: which answer it is
}

// errNotMade is the error of an evaluation that has ended in a panic.
var errNotMade = errors.New("the answer was not made")

func newEvaluation() *evaluation { return &evaluation{done: make(chan struct{}), err: errNotMade} }

// made reports whether the evaluation has ended.
func (e *evaluation) made() bool {
	select {
	case <-e.done:
		return true
	default:
		return false
	}
}

const (
	// keptTime is how long a group keeps its last answer for members that come later.
	keptTime = time.Second
	// evaluationTime bounds the time of an evaluation on a server without a limit of time.
	evaluationTime = 30 * time.Second
	// maxEvaluations is how many answers are made at once. After a change, thousands of groups may
	// want one. They must not take the places of ordinary requests.
	maxEvaluations = 8
)

// join returns the group of a subscription, which may be new.
func (gs *groups) join(ctx context.Context, e *executor, op *graphql.OperationContext) (*group, error) {
	if e.options.Feed == nil {
		return nil, apperr.BadInput("", "nothing is logged, so there is nothing to subscribe to")
	}
	variables, err := json.Marshal(op.Variables)
	if err != nil {
		return nil, fmt.Errorf("compare variables: %w", err)
	}
	key := groupKey{sha256.Sum256(fmt.Appendf(nil, "%q %q %s", op.RawQuery, op.OperationName, variables)), viewer.FromContext(ctx),
		e.present.language(graphql.WithOperationContext(ctx, op)).Tag()}
	if e.engine.Impersonal(ctx, op) {
		// A viewer without an ID sees nothing that is one user's own.
		key.viewer = viewer.Viewer{Role: key.viewer.Role, Roles: key.viewer.Roles, Tenant: key.viewer.Tenant}
	}
	gs.mu.Lock()
	defer gs.mu.Unlock()
	if known := gs.all[key]; known != nil {
		known.size++
		return known, nil
	}
	g := &group{executor: e, groups: gs, key: key, size: 1, members: map[*subscription]struct{}{}, record: telemetry.FromContext(ctx)}
	g.ctx = viewer.NewContext(graphql.StartOperationTrace(context.Background()), key.viewer)
	if err := g.prepare(op); err != nil {
		return nil, err
	}
	if gs.all == nil {
		gs.all = map[groupKey]*group{}
	}
	gs.all[key] = g
	g.engine.Keep(g.doc)
	listener := &changes.Listener{Selects: func(c *changes.Change) bool { return g.selects(c) }, Wake: g.wake}
	if g.live == nil {
		listener.Beat = g.wake
	}
	g.stop = e.options.Feed.Listen(listener)
	return g, nil
}

// leave takes a subscription out of its group.
func (gs *groups) leave(g *group) {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	if g.size--; g.size > 0 {
		return
	}
	delete(gs.all, g.key)
	g.stop()
	g.engine.Forget(g.doc)
}

// prepare makes the operation that the group runs, again and again. That of live is a query.
func (g *group) prepare(op *graphql.OperationContext) error {
	g.root = g.engine.Prepare(op).RootFields()[0]
	definition := *op.Operation
	if g.root.Name == binding.Live {
		every, err := plan.LiveEvery(g.root.ArgumentMap(op.Variables)["every"])
		if err != nil {
			return err
		}
		g.live = &live{every: every, stale: true}
		definition.Operation, definition.SelectionSet = ast.Query, g.engine.Prepare(op).Roots()[0].Selections
		g.selects = g.live.touched
	} else {
		selects, err := g.engine.Selects(g.ctx, g.root, op.Variables)
		if err != nil {
			return err
		}
		g.selects = selects
	}
	g.doc = &ast.QueryDocument{Operations: ast.OperationList{&definition}, Fragments: op.Doc.Fragments}
	g.op = op
	return nil
}

func (g *group) feed() *changes.Feed { return g.options.Feed }

// begin returns where a subscription begins: at the cursor that the client has sent, beside the
// document or in it, or at the end of the log.
func (g *group) begin(ctx context.Context, after string) (changes.Position, error) {
	if after == "" {
		after, _ = g.root.ArgumentMap(g.op.Variables)["after"].(string)
	}
	if after != "" {
		return g.engine.Position(after)
	}
	ctx, cancel := context.WithTimeout(ctx, evaluationTime)
	defer cancel()
	return g.feed().End(ctx)
}

// add has a subscription be woken, until the returned function is called.
func (g *group) add(s *subscription) (remove func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.members[s] = struct{}{}
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.members, s)
	}
}

// wake is called after changes that the group selects. It wakes the members when an answer is due.
func (g *group) wake() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.live == nil {
		g.wakeAll()
	} else {
		g.due()
	}
}

// due has the members of live be woken when it may have another answer. The group is locked.
func (g *group) due() {
	if pause, due := g.live.change(); due {
		time.AfterFunc(pause, g.wakeLater)
	}
}

func (g *group) wakeLater() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.wakeAll()
}

func (g *group) wakeAll() {
	for s := range g.members {
		s.wake()
	}
}

// evaluate returns the answer with the changes that follow. Of the members that are at the same
// place, one makes it. Whoever has to read the log makes their own.
func (g *group) evaluate(ctx context.Context, f read.Following) (*evaluation, error) {
	e := newEvaluation()
	e.after, e.next = f.After, f.Next
	if !f.Given {
		g.evaluateChanges(e, &f)
		return e, e.err
	}
	g.mu.Lock()
	if known := g.memo; known != nil && known.after == e.after && known.next == e.next {
		g.mu.Unlock()
		return known.wait(ctx)
	}
	g.remember(e)
	g.mu.Unlock()
	g.evaluateChanges(e, &f)
	if e.err != nil {
		g.forget(e)
	}
	return e, e.err
}

// remember keeps an answer for the other members, for some time.
func (g *group) remember(e *evaluation) {
	g.memo = e
	time.AfterFunc(keptTime, func() { g.forget(e) })
}

func (g *group) forget(e *evaluation) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.memo == e {
		g.memo = nil
	}
}

func (e *evaluation) wait(ctx context.Context) (*evaluation, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-e.done:
		return e, e.err
	}
}

// evaluateChanges makes an answer that tells of changes.
func (g *group) evaluateChanges(e *evaluation, f *read.Following) {
	defer close(e.done)
	response, err := g.runOnce(read.Follow(g.ctx, f), nil)
	if e.err = err; err != nil {
		return
	}
	if e.heard = f.Heard > 0; !f.Given {
		e.next = f.Next
	}
	if e.last = string(response.Data) == "null"; !e.last {
		addTold(response, g.told())
		e.answer = &stream.Answer{Cursor: g.engine.Cursor(f.Next), Empty: !e.heard}
		response.Extensions["cursor"] = e.answer.Cursor
	} else {
		e.answer = new(stream.Answer)
	}
	e.answer.Body = encoded(response)
}

// runOnce runs the group's operation. It returns an error if it is to be run again, because what it
// met may be gone then.
func (g *group) runOnce(ctx context.Context, watch func(string)) (*graphql.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, evaluationTime)
	defer cancel()
	op := &graphql.OperationContext{RawQuery: g.op.RawQuery, Variables: g.op.Variables, OperationName: g.op.OperationName,
		Doc: g.doc, Headers: g.op.Headers, Operation: g.doc.Operations[0], DisableIntrospection: g.op.DisableIntrospection,
		RecoverFunc: g.op.RecoverFunc, ResolverMiddleware: g.op.ResolverMiddleware, RootResolverMiddleware: g.op.RootResolverMiddleware}
	for _, found := range []string{costKey, searchesKey} {
		op.Stats.SetExtension(found, g.op.Stats.GetExtension(found))
	}
	if watch != nil {
		ctx = context.WithValue(ctx, watchKey{}, watch)
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case g.groups.turns <- struct{}{}:
		defer func() { <-g.groups.turns }()
	}
	ctx, end := g.observer.begin(ctx, g.record)
	response := g.admitted(graphql.WithOperationContext(ctx, op))
	end(response)
	if response == nil {
		return nil, ctx.Err()
	}
	for _, err := range response.Errors {
		if code, _ := err.Extensions["code"].(string); passing[apperr.Code(code)] {
			return nil, &passingError{apperr.Code(code), gqlerror.List{err}}
		}
	}
	return response, nil
}

// passingError is the error of an answer that is to be made again.
type passingError struct {
	code   apperr.Code
	errors gqlerror.List
}

// Error returns the message for the client.
func (e *passingError) Error() string { return e.errors.Error() }

// watchKey is the key of a function that is called with the text of each statement.
type watchKey struct{}

// passing are the codes of errors after which a subscription goes on where it was.
var passing = map[apperr.Code]bool{apperr.CodeUnavailable: true, apperr.CodeTimeout: true}
