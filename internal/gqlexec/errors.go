package gqlexec

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/ids"
	"forge/internal/message"
	"forge/internal/telemetry"
)

// presenter turns errors into the form that clients see.
type presenter struct {
	rows   rows
	sample string // the prefix of an ID in messages about IDs of any kind
	hints  bool
	tokens int // how many tokens a document may have
	// messages are the translations. Those of errors in documents are English alone: they are for
	// the author of a program.
	messages *message.Catalogue
	log      *slog.Logger
}

func newPresenter(api API, opts Options, messages *message.Catalogue, log *slog.Logger) *presenter {
	return &presenter{rows{api.Entities, api.Tables}, api.SamplePrefix, opts.Development, opts.Limits.Tokens, messages, log}
}

// language returns the language that the client of the operation of ctx prefers.
func (p *presenter) language(ctx context.Context) *message.Language {
	if !graphql.HasOperationContext(ctx) {
		return nil
	}
	return p.messages.Match(graphql.GetOperationContext(ctx).Headers.Get(message.Header))
}

// error returns the form of an error that clients see. An error that was written for clients is
// shown with its code. Any other error is logged in full and shown as INTERNAL, with the request's
// ID, which the log has as well. The errors of an attempt are logged only if it is the last one.
func (p *presenter) error(ctx context.Context, err error) *gqlerror.Error {
	shown := &gqlerror.Error{}
	if known, ok := errors.AsType[*gqlerror.Error](err); ok {
		shown.Path, shown.Locations = known.Path, known.Locations
		if code, coded := known.Extensions["code"]; coded {
			if code == string(apperr.CodeParseFailed) && known.Locations == nil {
				return tooManyTokens(ctx, p.tokens)
			}
			return bare(known, p.hints)
		}
	}
	f := classify(err)
	if lostAtDeadline(ctx, f) {
		f = &apperr.Error{Code: apperr.CodeTimeout, Message: "this took too long and was stopped", Cause: f.Cause}
	}
	if f == nil {
		f = p.violation(ctx, err)
	}
	if f == nil {
		f = p.badArgument(ctx, shown, err)
	}
	if f == nil {
		f = &apperr.Error{Code: apperr.CodeInternal, Message: "internal error", Cause: err,
			More: map[string]any{"requestId": telemetry.RequestID(ctx)}}
	}
	if f.Cause != nil {
		failed(ctx, p.log, failure{f.Code, shown.Path, f.Cause})
	}
	shown.Message = withoutControls(f.In(p.language(ctx)))
	shown.Extensions = map[string]any{"code": string(f.Code)}
	if f.Field != "" {
		shown.Extensions["field"] = f.Field
	}
	maps.Copy(shown.Extensions, f.More)
	return shown
}

// withoutControls returns a message that has neither control characters nor marks that change the
// direction of what follows. Messages repeat names and IDs that a client has sent, and are shown on
// terminals and pages.
func withoutControls(message string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return utf8.RuneError
		}
		return r
	}, message)
}

// reportEach returns the error of a field. If it stands for several, reportEach reports all but the
// last, which it returns.
func reportEach(ctx context.Context, err error) error {
	several, ok := errors.AsType[*apperr.Errors](err)
	if !ok {
		return err
	}
	list := several.List()
	end := len(list) - 1
	for _, one := range list[:end] {
		graphql.AddError(ctx, graphql.AddFieldLocationToError(ctx, one))
	}
	return list[end]
}

// bare returns the error without the value that caused it. It keeps gqlparser's hints at names in
// the schema only if hints is true.
func bare(err *gqlerror.Error, hints bool) *gqlerror.Error {
	const hinting = " Did you mean "
	message, hint, hinted := strings.Cut(err.Message, hinting)
	message = withoutValue(message)
	if hints && hinted {
		message += hinting + hint
	}
	if message == err.Message {
		return err
	}
	shorter := *err
	shorter.Message = message
	return &shorter
}

// withoutValue removes from a message the value that gqlparser quotes from a document. The value
// may be a password that was sent without quotes, and clients log error messages.
func withoutValue(message string) string {
	if strings.HasPrefix(message, "Expected value of type ") {
		message, _, _ = strings.Cut(message, ", found ")
	}
	if what, why, ok := strings.Cut(message, " cannot represent "); ok {
		why, _, _ = strings.Cut(why, ": ")
		message = what + " cannot represent " + why
	}
	return message
}

// classify returns the client's error in err. It returns nil if err is not meant for clients.
func classify(err error) *apperr.Error {
	if f, ok := errors.AsType[*apperr.Error](err); ok {
		return f
	}
	if errors.Is(err, context.Canceled) {
		return &apperr.Error{Code: apperr.CodeTimeout, Message: "the request was given up before it was answered"}
	}
	return database.ClientError(err)
}

// lostAtDeadline reports whether an error is about a connection that was lost because the time of
// the request is over: a connection may notice the deadline before the context does.
func lostAtDeadline(ctx context.Context, f *apperr.Error) bool {
	deadline, limited := ctx.Deadline()
	return f != nil && f.Code == apperr.CodeUnavailable && database.ConnectionLost(f.Cause) && f.More["outcome"] == nil &&
		limited && !time.Now().Before(deadline)
}

// badArgument returns the error for an argument that could not be decoded. It returns nil if err is
// about something else. gqlgen reports such an argument by a path that goes on below the field's
// path.
func (p *presenter) badArgument(ctx context.Context, shown *gqlerror.Error, err error) *apperr.Error {
	fc := graphql.GetFieldContext(ctx)
	if fc == nil {
		return nil
	}
	own := fc.Path()
	if len(shown.Path) <= len(own) {
		return nil
	}
	argument := shown.Path[len(own):]
	shown.Path = own
	cause := err
	if wrapped, ok := errors.AsType[*gqlerror.Error](err); ok && wrapped.Err != nil {
		cause = wrapped.Err
	}
	return p.malformed(fc.Field.Name, argument, cause)
}

// malformed returns the error for an argument of a root field that could not be decoded.
func (p *presenter) malformed(root string, argument ast.Path, cause error) *apperr.Error {
	if malformed, ok := errors.AsType[*ids.MalformedError](cause); ok {
		prefix := p.prefixAt(root, argument, malformed.Prefix())
		return apperr.BadInput(dotted(argument), "%s", malformed.Wanted(prefix, p.rows.formOf(prefix)))
	}
	return apperr.BadInput(dotted(argument), "%s", cause)
}

// prefixAt returns the prefix of the IDs that an argument of a root field takes. The argument of a
// foreign key takes IDs of the entity that the key refers to. The argument id takes IDs of the
// entity that is named in the field's name. Any other argument takes IDs of any entity: then it is
// the prefix that was sent, if an entity has it.
func (p *presenter) prefixAt(root string, argument ast.Path, sent string) string {
	name := ""
	for _, step := range argument {
		if step, ok := step.(ast.PathName); ok {
			name = string(step)
		}
	}
	prefix, longest := p.sample, 0
	for _, e := range p.rows.entities {
		for _, f := range e.Fields {
			if name != "id" && f.Name == name && f.Refers != "" {
				return p.rows.prefixOf(f.Refers)
			}
		}
		if e.Prefix == sent && longest == 0 {
			prefix = sent
		}
		if (name == "id" || name == "ids") && len(e.Name) > longest && strings.Contains(strings.ToLower(root), strings.ToLower(e.Name)) {
			prefix, longest = e.Prefix, len(e.Name)
		}
	}
	return prefix
}

// dotted returns a path in the form of extensions.field: input.items.0.quantity.
func dotted(path ast.Path) string {
	var s string
	for i, element := range path {
		if i > 0 {
			s += "."
		}
		s += fmt.Sprint(element)
	}
	return s
}

// recovered returns an error for a panic. The error is logged with the stack, and clients see
// nothing of it.
func recovered(_ context.Context, panicked any) error {
	return fmt.Errorf("panic: %s\n%s", telemetry.Panic(panicked), debug.Stack())
}
