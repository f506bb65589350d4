package graphqlhttp

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"forge/internal/apperr"
)

// Files takes the files of multipart requests.
type Files interface {
	// Receive stores a file of the viewer, and returns its ID. If key is not "", a file with the
	// same content that was sent with the same key and place is stored once. It returns an
	// *apperr.Error if the client may read why the file is not stored.
	Receive(ctx context.Context, key, place string, f Part) (id string, err error)
	// MaxBytes returns how many bytes a file may have.
	MaxBytes() int64
}

// Part is a file of a multipart request.
type Part struct {
	Name, ContentType string
	io.Reader
}

const (
	maxParts = 10       // files of a multipart request
	maxHead  = 64 << 10 // bytes of the headers of a part, or of map
)

// form reads the body of a multipart request by parts. package multipart reads the headers of a
// part into memory, up to 10 MiB, before anything is known of who sends them.
type form struct {
	*multipart.Reader
	body io.Reader
	left int64 // how many bytes may be read before the next part
}

func (f *form) Read(b []byte) (int, error) {
	if f.left <= 0 {
		return 0, &http.MaxBytesError{Limit: maxHead}
	}
	n, err := f.body.Read(b[:min(int64(len(b)), f.left)])
	f.left -= int64(n)
	return n, err
}

// next returns the next part, which may have so many bytes.
func (f *form) next(limit int64) (*multipart.Part, error) {
	f.left = maxHead
	part, err := f.NextPart()
	f.left = limit + maxHead // what is read ahead may be of the next part
	return part, err
}

// preflightHeaders are those of which a multipart request needs one. A form of another site cannot
// send them: a browser asks the server before it lets a script do so.
var preflightHeaders = []string{"Apollo-Require-Preflight", "GraphQL-Require-Preflight", "X-Requested-With"}

var (
	noPreflight = &refusal{status: http.StatusForbidden, code: apperr.CodeForbidden,
		message: "a multipart request needs the header GraphQL-Require-Preflight, with any value, so that no form of another site can send it"}
	noForms = &refusal{status: http.StatusUnsupportedMediaType, code: apperr.CodeBadUserInput,
		message: "multipart/form-data is not taken here: it needs the setting MULTIPART_UPLOADS and a place for files; createUpload needs the place alone"}
	unordered = malformed("the parts of the body must be operations, map, and then the files that map names, each once")
)

// isMultipart reports whether a Content-Type header names a multipart form.
func isMultipart(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && media == "multipart/form-data"
}

// fromForm returns the parameters of a multipart request, as
// https://github.com/jaydenseric/graphql-multipart-request-spec has it. Each file is stored, and
// its ID takes the places in the variables that the map names.
func (t Transport) fromForm(w http.ResponseWriter, r *http.Request) (*graphql.RawParams, *refusal) {
	if !slices.ContainsFunc(preflightHeaders, func(name string) bool { return r.Header.Get(name) != "" }) {
		return nil, noPreflight
	}
	limit := t.MaxBodyBytes + t.Files.MaxBytes()
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	r.Body = http.MaxBytesReader(w, r.Body, limit)
	parts := &form{body: r.Body}
	r.Body = struct {
		io.Reader
		io.Closer
	}{parts, r.Body}
	var err error
	if parts.Reader, err = r.MultipartReader(); err != nil {
		return nil, malformed("the body of the request is no multipart form")
	}
	operations, refused := parts.field("operations", cmp.Or(t.MaxBodyBytes, 1<<20))
	if refused != nil {
		return nil, refused
	}
	params, refused := fromJSON("operations", operations)
	if refused != nil {
		return nil, refused
	}
	text, refused := parts.field("map", maxHead)
	if refused != nil {
		return nil, refused
	}
	var places map[string][]string
	if err := json.Unmarshal(text, &places); err != nil || len(places) > maxParts {
		return nil, malformed("map must be an object of lists of paths, such as {\"0\": [\"variables.file\"]}, with %d files at most", maxParts)
	}
	return params, t.files(r, parts, params, places)
}

// field reads a part that is no file.
func (f *form) field(name string, limit int64) ([]byte, *refusal) {
	part, err := f.next(limit)
	if err != nil || part.FormName() != name {
		return nil, partRefused(err, unordered)
	}
	text, err := io.ReadAll(io.LimitReader(part, limit+1))
	if err != nil {
		return nil, unreadable(err)
	}
	if int64(len(text)) > limit {
		return nil, tooLarge(limit)
	}
	return text, nil
}

// partRefused returns the refusal for an error of the next part.
func partRefused(err error, otherwise *refusal) *refusal {
	if err == nil || errors.Is(err, io.EOF) {
		return otherwise
	}
	return unreadable(err)
}

// files stores the files of the form.
func (t Transport) files(r *http.Request, parts *form, params *graphql.RawParams, places map[string][]string) *refusal {
	key := r.Header.Get("Idempotency-Key")
	for len(places) > 0 {
		part, err := parts.next(t.Files.MaxBytes())
		if err != nil {
			return partRefused(err, unordered)
		}
		name := part.FormName()
		paths, ok := places[name]
		if !ok || part.FileName() == "" {
			return unordered
		}
		delete(places, name)
		for _, path := range paths {
			if !vacant(params.Variables, path) {
				return malformed("map names a place that is not null in variables, such as variables.file, or that is not there")
			}
		}
		body := &partBody{Reader: part}
		id, err := t.Files.Receive(r.Context(), key, strings.Join(paths, " "), Part{part.FileName(), partType(part), body})
		if err != nil && body.err != nil {
			return unreadable(body.err)
		}
		if err != nil {
			return refusedFile(err)
		}
		for _, path := range paths {
			place(params.Variables, path, func(any) (any, bool) { return id, true })
		}
	}
	if _, err := parts.next(0); !errors.Is(err, io.EOF) {
		return partRefused(err, unordered)
	}
	return nil
}

// partBody is the content of a part. err is why it could not be read to its end, or nil.
type partBody struct {
	io.Reader
	err error
}

func (p *partBody) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	if err != nil && err != io.EOF {
		p.err = err
	}
	return n, err
}

func partType(part *multipart.Part) string {
	if of := part.Header.Get("Content-Type"); of != "" {
		return of
	}
	return "application/octet-stream"
}

// vacant reports whether there is a null at a path.
func vacant(variables map[string]any, path string) (is bool) {
	place(variables, path, func(value any) (any, bool) { is = value == nil; return nil, false })
	return is
}

// place calls set with the value at a path such as "variables.files.0", and stores the result if
// the second one is true.
func place(variables map[string]any, path string, set func(any) (any, bool)) {
	steps := strings.Split(path, ".")
	if len(steps) < 2 || len(steps) > 20 || steps[0] != "variables" {
		return
	}
	var at any = variables
	for i, step := range steps[1:] {
		last := i == len(steps)-2
		switch of := at.(type) {
		case map[string]any:
			value, ok := of[step]
			if !ok {
				return
			}
			if last {
				if to, store := set(value); store {
					of[step] = to
				}
			}
			at = value
		case []any:
			n, err := strconv.Atoi(step)
			if err != nil || n < 0 || n >= len(of) {
				return
			}
			if last {
				if to, store := set(of[n]); store {
					of[n] = to
				}
			}
			at = of[n]
		default:
			return
		}
	}
}

// refusedFile returns the refusal for a file that was not stored.
func refusedFile(err error) *refusal {
	fault, ok := errors.AsType[*apperr.Error](err)
	if !ok {
		return &refusal{status: http.StatusInternalServerError, code: apperr.CodeInternal, message: "a file of the request could not be stored"}
	}
	status := map[apperr.Code]int{apperr.CodeBadUserInput: http.StatusBadRequest, apperr.CodeUnauthenticated: http.StatusUnauthorized,
		apperr.CodeForbidden: http.StatusForbidden, apperr.CodeRateLimited: http.StatusTooManyRequests, apperr.CodeUnavailable: http.StatusServiceUnavailable}[fault.Code]
	if status == 0 {
		status = http.StatusBadRequest
	}
	return &refusal{status: status, code: fault.Code, message: fault.Message}
}
