package upload

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"

	"github.com/google/uuid"

	"forge/ent"
	entfile "forge/ent/file"
	"forge/internal/apperr"
	"forge/internal/entity"
	"forge/internal/file"
	"forge/internal/graphqlhttp"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// MaxBytes returns how many bytes a file may have.
func (u *Uploads) MaxBytes() int64 { return u.Files.MaxBytes() }

// Receive stores a file that comes in a multipart request, and returns its ID. With an idempotency
// key, the ID follows from the key and the place: so a request that is sent again is the same one,
// unless its file is another one.
func (u *Uploads) Receive(ctx context.Context, key, place string, part graphqlhttp.Part) (string, error) {
	if err := u.offered(); err != nil {
		return "", err
	}
	v := viewer.FromContext(ctx)
	if v.Role == viewer.Anonymous {
		return "", apperr.Unauthenticated()
	}
	f := file.File{ID: entity.NewID(), Name: part.Name, ContentType: part.ContentType}
	if _, _, err := mime.ParseMediaType(f.ContentType); err != nil || len(f.ContentType) > 127 {
		f.ContentType = "application/octet-stream"
	}
	if key != "" {
		hash := sha256.Sum256(fmt.Appendf(nil, "%s\n%d\n%q\n%q", v.ID, v.Role, key, place))
		id, err := uuid.NewRandomFromReader(bytes.NewReader(hash[:]))
		if err != nil {
			return "", err
		}
		known, err := u.known(ctx, id, part)
		if known != "" || err != nil {
			return known, err
		}
		f.ID = id
	}
	return u.receive(ctx, f, part)
}

// known returns the ID of a file that was received before: the same one if the content is the same,
// and otherwise a new one, which nobody has. It returns "" if none was received.
func (u *Uploads) known(ctx context.Context, id uuid.UUID, content io.Reader) (string, error) {
	var etag *string
	err := u.within(ctx, func(ctx context.Context, _ *unit.Unit) error {
		row, err := ent.FromUnit(ctx).File.Get(ctx, id)
		if err == nil {
			etag = row.Etag
		}
		return ent.MaskNotFound(err)
	})
	if err != nil || etag == nil {
		return "", err
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, io.LimitReader(content, u.MaxBytes()+1)); err != nil {
		return "", err
	}
	if hex.EncodeToString(hash.Sum(nil)) != *etag {
		id = entity.NewID()
	}
	return (&ent.File{ID: id}).GlobalID().String(), nil
}

// receive stores the row of a file, then its bytes, and then what was found of them.
func (u *Uploads) receive(ctx context.Context, f file.File, content io.Reader) (string, error) {
	err := u.within(ctx, func(within context.Context, _ *unit.Unit) error {
		within = viewer.NewContext(within, viewer.FromContext(ctx))
		if err := u.mayOpen(within, f.ID, 0); err != nil {
			return err
		}
		announced, err := ent.FromUnit(within).File.Query().Where(entfile.ID(f.ID)).Exist(system(within))
		if err != nil || announced {
			return err
		}
		return u.insert(within, f).Exec(system(within))
	})
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	facts, err := u.Files.Store(ctx, f, io.TeeReader(content, hash))
	facts.ETag = hex.EncodeToString(hash.Sum(nil)) // known compares it
	switch {
	case errors.Is(err, file.ErrTooLarge):
		return "", u.refused(err)
	case isFault(err):
		return "", &apperr.Error{Code: apperr.CodeBadUserInput, Message: err.Error()}
	case errors.Is(err, file.ErrUnavailable):
		return "", unavailable(err)
	case err != nil:
		return "", err
	}
	// Only now it is known how large the file is.
	err = u.within(ctx, func(within context.Context, _ *unit.Unit) error {
		within = viewer.NewContext(within, viewer.FromContext(ctx))
		if err := u.mayOpen(within, f.ID, facts.Size); err != nil {
			return err
		}
		return storeFacts(system(within), map[uuid.UUID]file.Facts{f.ID: facts})
	})
	if _, refused := errors.AsType[*apperr.Error](err); refused {
		_ = u.Files.Remove(ctx, f.ID) // else the sweep removes it, as its row is still there
	}
	if err != nil {
		return "", err
	}
	return (&ent.File{ID: f.ID}).GlobalID().String(), nil
}
