package file

import (
	"fmt"
	"time"

	"forge/internal/picture"
)

// These are the beginnings of the paths that Handler answers.
const (
	Path        = "/files/"
	uploadsPath = Path + "uploads/"
)

// URL returns an address at which the file can be read by everybody who knows it. It is good for at
// least as long as expires says, and for half as long again at most, so that all who ask within a
// while get the same address. If resize is not nil or format is not Auto, it is the address of a
// picture that is made from the file. URL reads and stores nothing. It returns ErrOff, ErrExpires,
// ErrResize or ErrNoPicture.
func (s *Service) URL(f File, expires time.Duration, resize *Resize, format Format) (string, error) {
	switch {
	case s == nil:
		return "", ErrOff
	case expires < MinExpires || expires > MaxExpires:
		return "", ErrExpires
	}
	c := &claims{ID: f.ID, Expires: roundUp(s.now(), expires).Unix(), Name: f.Name, Type: mediaType(f.ContentType)}
	if resize == nil && format != Auto {
		resize = &Resize{Width: MaxSide, Height: MaxSide}
	}
	if resize == nil {
		return s.o.Origin + Path + s.reads.sign(c), nil
	}
	switch {
	case !resize.valid(), format != Auto && format != JPEG && format != PNG:
		return "", ErrResize
	case !picture.Readable(c.Type):
		return "", ErrNoPicture
	}
	c.Width, c.Height, c.Cover, c.Format = resize.Width, resize.Height, resize.Fit == Cover, format
	if format == Auto {
		c.Format = PNG
		if c.Type == "image/jpeg" {
			c.Format = JPEG
		}
	}
	return s.o.Origin + Path + s.reads.sign(c), nil
}

func (r *Resize) valid() bool {
	isSide := func(n int) bool { return n >= 0 && n <= MaxSide }
	return isSide(r.Width) && isSide(r.Height) && r.Width+r.Height > 0 && (r.Fit == "" || r.Fit == Contain || r.Fit == Cover)
}

// isVariant reports whether an address is one of a picture that is made.
func (c *claims) isVariant() bool { return c.Format != Auto }

// variant returns the last part of the key of a picture that is made.
func (c *claims) variant() string {
	fit := "contain"
	if c.Cover {
		fit = "cover"
	}
	return fmt.Sprintf("%dx%d-%s%s", c.Width, c.Height, fit, extensions[c.contentType()][0])
}

// contentType returns the media type of what is sent.
func (c *claims) contentType() string {
	switch c.Format {
	case JPEG:
		return "image/jpeg"
	case PNG:
		return "image/png"
	}
	return c.Type
}

// etag returns the entity tag of what is sent. Nothing under an ID ever changes.
func (c *claims) etag() string {
	if c.isVariant() {
		return `"` + c.ID.String() + "-" + c.variant() + `"`
	}
	return `"` + c.ID.String() + `"`
}
