package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"forge/ent"
	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/stream"
	"forge/internal/viewer"
)

// following is the subscription of an endpoint. It stays open between deliveries, so that it wakes
// the runner.
type following struct {
	operation stream.Operation // nil if there is none
	cancel    func()
	viewer    viewer.Viewer
	position  string // after the last answer
}

// end ends the subscription.
func (f *following) end() {
	if f.operation != nil {
		f.cancel()
		f.operation.Close()
		f.operation = nil
	}
}

// follow has the subscription go on after the position of a row. It returns BAD_USER_INPUT if the
// row's account may not sign in any more.
func (r *runner) follow(ctx context.Context, row *ent.Webhook) error {
	v, err := r.webhooks.viewer(ctx, row)
	if err != nil {
		return err
	}
	if r.operation != nil && r.viewer == v && r.position == row.Position {
		return nil
	}
	params, err := params(row)
	if err != nil {
		return err
	}
	before := r.following
	next, cancel := context.WithCancel(viewer.NewContext(ctx, v))
	r.following = following{cancel: cancel, viewer: v, position: row.Position}
	r.operation = r.webhooks.executor.Subscribe(next, params, row.Position, func() { signal(r.woken) })
	before.end() // after the next one has begun, so that no change is missed
	return nil
}

// next returns the next answer. It returns nil if there is none yet. After an error of the
// subscription, the answer is not the next one, and has no cursor.
func (r *runner) next(ctx context.Context) *stream.Answer {
	answer, err := r.operation.Next(ctx)
	if err != nil || answer == nil {
		return nil
	}
	if answer.Cursor == "" || answer.Refused {
		r.end()
		return &stream.Answer{Body: answer.Body}
	}
	r.position = answer.Cursor
	return answer
}

// deliver delivers all that there is to an endpoint that this server has leased, and ends the lease.
// It returns how long to wait after a failure, and otherwise 0.
func (r *runner) deliver(ctx context.Context, row *ent.Webhook) time.Duration {
	if err := r.follow(ctx, row); err != nil {
		return r.stopped(ctx, row, err)
	}
	answer := r.next(ctx)
	for {
		switch {
		case answer == nil:
			return r.idle(ctx, row)
		case answer.Cursor == "":
			return r.stopped(ctx, row, refusal(answer.Body))
		case answer.Empty:
			row.Position = answer.Cursor
			answer = r.next(ctx)
			continue
		}
		status, after, err := r.webhooks.post(ctx, row, answer)
		if ctx.Err() != nil && err != nil { // the server ends, and does not know what has become of it
			return r.idle(ctx, row)
		}
		if err != nil {
			return r.failed(ctx, row, status, after, err)
		}
		r.webhooks.count("delivered")
		if row.Failures > 0 {
			r.webhooks.Log.InfoContext(ctx, "a webhook is delivered to again", "webhook", row.GlobalID().String())
		}
		row.Position, row.Failures = answer.Cursor, 0
		answer = r.next(ctx)
		if pause, ok := r.delivered(ctx, row, status, answer != nil && ctx.Err() == nil); !ok {
			return pause
		}
		if answer == nil || ctx.Err() != nil {
			return 0
		}
	}
}

// delivered moves the position after a success. It ends the lease, or renews it if there is more. It
// returns false if the lease has ended or could not be renewed.
func (r *runner) delivered(ctx context.Context, row *ent.Webhook, status int, more bool) (pause time.Duration, ok bool) {
	err := r.webhooks.keep(ctx, row, func(update *ent.WebhookUpdate, now time.Time) {
		update.SetPosition(row.Position).SetFailures(0).ClearFailingSince().SetLastStatus(int32(status)).ClearLastError().SetDeliveredAt(now)
		if more {
			update.SetLeasedUntil(now.Add(r.webhooks.Lease))
		} else {
			update.ClearLease().ClearLeasedUntil()
		}
	})
	return r.kept(ctx, row, err)
}

// idle ends the lease when there is nothing to deliver.
func (r *runner) idle(ctx context.Context, row *ent.Webhook) time.Duration {
	pause, _ := r.kept(ctx, row, r.webhooks.keep(ctx, row, func(update *ent.WebhookUpdate, _ time.Time) {
		update.SetPosition(row.Position).ClearLease().ClearLeasedUntil()
	}))
	return pause
}

// kept returns how long to wait after a change of the row failed. What was delivered may come again
// then.
func (r *runner) kept(ctx context.Context, row *ent.Webhook, err error) (time.Duration, bool) {
	if err == nil {
		return 0, true
	}
	r.end() // the row says where to go on
	if errors.Is(err, errTaken) {
		return time.Millisecond, false
	}
	r.webhooks.Log.WarnContext(ctx, "the position of a webhook is not stored, so what was delivered comes again",
		"webhook", row.GlobalID().String(), "error", database.RedactError(err))
	return r.webhooks.Look, false
}

// failed ends the lease after a failure, and disables the endpoint if it is time to. It returns how
// long to wait: at least the time after, which the receiver has asked for.
func (r *runner) failed(ctx context.Context, row *ent.Webhook, status int, after time.Duration, cause error) time.Duration {
	r.end() // the next attempt begins at the row's position
	w := r.webhooks
	pause, disabled := max(after, w.Retry.Pause(int(row.Failures)+1)), ""
	err := w.keep(ctx, row, func(update *ent.WebhookUpdate, now time.Time) {
		since := now
		if row.FailingSince != nil {
			since = *row.FailingSince
		}
		due := now.Add(pause)
		r.due.Store(due.UnixNano())
		update.SetPosition(row.Position).ClearLease().ClearLeasedUntil().SetFailures(row.Failures + 1).SetFailingSince(since).SetDueAt(due).SetLastError(cause.Error())
		if status != 0 {
			update.SetLastStatus(int32(status))
		} else {
			update.ClearLastStatus()
		}
		switch {
		case status == http.StatusGone:
			disabled = "the receiver has answered 410, so it wants no more"
		case now.Sub(since) >= w.GiveUp:
			disabled = fmt.Sprintf("each delivery has failed since %s: %s", since.Format(time.RFC3339), cause)
		default:
			return
		}
		update.SetDisabledAt(now).SetDisabledReason(disabled)
	})
	w.count("failed")
	if longer, ok := r.kept(ctx, row, err); !ok {
		return longer
	}
	switch {
	case disabled != "":
		r.tellDisabled(ctx, row, disabled)
	case row.Failures == 0:
		w.Log.WarnContext(ctx, "a webhook cannot be delivered to, retrying", "webhook", row.GlobalID().String(), "error", cause)
	}
	return pause
}

// stopped ends the lease when the subscription has no further answers. It disables the endpoint,
// unless the reason may be gone later.
func (r *runner) stopped(ctx context.Context, row *ent.Webhook, cause error) time.Duration {
	r.end()
	known, ok := errors.AsType[*apperr.Error](cause)
	if !ok || known.Code == apperr.CodeUnavailable || known.Code == apperr.CodeTimeout || known.Code == apperr.CodeInternal {
		return r.failed(ctx, row, 0, 0, fmt.Errorf("the subscription has no answer: %w", cause))
	}
	reason := fmt.Sprintf("its subscription cannot go on (%s): %s", known.Code, known.Message)
	err := r.webhooks.keep(ctx, row, func(update *ent.WebhookUpdate, now time.Time) {
		update.SetPosition(row.Position).ClearLease().ClearLeasedUntil().SetDisabledAt(now).SetDisabledReason(reason)
	})
	if pause, ok := r.kept(ctx, row, err); !ok {
		return pause
	}
	r.tellDisabled(ctx, row, reason)
	return r.webhooks.Look
}

func (r *runner) tellDisabled(ctx context.Context, row *ent.Webhook, reason string) {
	r.webhooks.count("disabled")
	r.webhooks.Log.ErrorContext(ctx, "a webhook is disabled", "webhook", row.GlobalID().String(), "reason", reason)
	r.webhooks.Changed()
}

// refusal returns the first error of an answer.
func refusal(body []byte) error {
	var answer struct {
		Errors []struct {
			Message    string
			Extensions struct{ Code apperr.Code }
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil || len(answer.Errors) == 0 {
		return errors.New("a subscription has ended without an error")
	}
	return &apperr.Error{Code: answer.Errors[0].Extensions.Code, Message: answer.Errors[0].Message}
}

// maxAnswer is how many bytes of a receiver's answer are read, so that the connection can be used
// again.
const maxAnswer = 4 << 10

// post sends an answer. It returns the status of the receiver's answer, which is 0 if there is none,
// and an error unless the status is one of success. after is how long the receiver wants to be left
// alone.
func (w *Webhooks) post(ctx context.Context, row *ent.Webhook, answer *stream.Answer) (status int, after time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, w.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, row.URL, bytes.NewReader(answer.Body))
	if err != nil {
		return 0, 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Forge-Webhooks")
	sign(request.Header, row, deliveryID(row, row.Position, answer.Cursor), time.Now(), answer.Body)
	response, err := w.client.Do(request)
	if err != nil {
		if within, ok := errors.AsType[*url.Error](err); ok {
			err = within.Err
		}
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("the receiver has not answered within %s", w.Timeout)
		}
		return 0, 0, err
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, maxAnswer)
	switch code := response.StatusCode; {
	case code >= 200 && code < 300:
		return code, 0, nil
	case code >= 300 && code < 400:
		return code, 0, fmt.Errorf("the receiver has answered %d; redirects are not followed", code)
	default:
		return code, retryAfter(response.Header.Get("Retry-After"), time.Now()), fmt.Errorf("the receiver has answered %d", code)
	}
}

// retryAfter returns how long a header Retry-After asks to wait, 3 hours at most. It returns 0 for
// one that is neither a number of seconds nor a date in the future.
func retryAfter(header string, now time.Time) time.Duration {
	seconds, err := strconv.ParseUint(header, 10, 31)
	after := time.Duration(seconds) * time.Second
	if err != nil {
		date, err := http.ParseTime(header)
		if err != nil {
			return 0
		}
		after = max(0, date.Sub(now))
	}
	return min(after, maxPause)
}
