// Package picture reads pictures that strangers have sent, and makes smaller ones of them. It
// bounds the pixels, the memory and the time that this may take.
package picture

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"runtime"
	"time"

	"github.com/buckket/go-blurhash"
	"golang.org/x/image/draw"
	"golang.org/x/image/webp"
	"golang.org/x/sync/semaphore"
)

// These errors are about the picture. They are written for clients.
var (
	ErrUnreadable = errors.New("the picture cannot be read")
	ErrPixels     = errors.New("the picture has too many pixels")
	// ErrAnimated says that a picture moves in a way that cannot be read here (WebP).
	ErrAnimated = errors.New("the picture moves, and cannot be resized")
)

// ErrBusy says that too many pictures are read at once.
var ErrBusy = errors.New("too many pictures are being read")

const (
	// leastMemory is how many bytes the pixels of all pictures may take that are read at once. It
	// is more if a single picture of the most pixels would need more.
	leastMemory = 256 << 20
	// mostAtOnce is how many pictures are read at once, at most; see New.
	mostAtOnce = 4
	// maxWait is how long a picture waits for others.
	maxWait = 20 * time.Second
)

// Pictures reads pictures.
type Pictures struct {
	maxPixels int64
	memory    int64
	share     int64 // the memory that a picture counts for at least
	free      *semaphore.Weighted
}

// New returns what reads pictures of so many pixels at most. It leaves a processor to others, if
// there is more than one.
func New(maxPixels int64) *Pictures {
	memory := max(leastMemory, 4*maxPixels)
	atOnce := min(mostAtOnce, max(1, runtime.GOMAXPROCS(0)-1))
	return &Pictures{maxPixels: maxPixels, memory: memory, share: memory / int64(atOnce), free: semaphore.NewWeighted(memory)}
}

// codec reads one type of pictures.
type codec struct {
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader, header) (image.Image, error)
}

var codecs = map[string]codec{
	"image/jpeg": {jpeg.DecodeConfig, func(r io.Reader, h header) (image.Image, error) { return jpeg.Decode(&scans{r: r, skip: h.pixelsAt}) }},
	"image/png":  {png.DecodeConfig, whole(png.Decode)},
	"image/gif":  {gif.DecodeConfig, whole(gif.Decode)},
	"image/webp": {webp.DecodeConfig, whole(webp.Decode)},
}

// whole returns a decoder that needs not know what was read before.
func whole(decode func(io.Reader) (image.Image, error)) func(io.Reader, header) (image.Image, error) {
	return func(r io.Reader, _ header) (image.Image, error) { return decode(r) }
}

// Readable reports whether pictures of a media type can be read.
func Readable(contentType string) bool {
	_, ok := codecs[contentType]
	return ok
}

// Info is what is known of a picture.
type Info struct {
	Width, Height int    // as shown
	Blurhash      string // "" if the pixels cannot be read
}

// opened is a picture of which only the beginning was read.
type opened struct {
	codec
	width, height int // as stored
	bytes         int64
	header        header
	src           io.ReadSeeker
}

// Look reads a picture of a media type that is Readable. It returns ErrUnreadable, ErrPixels,
// ErrBusy, or the error of r or ctx.
func (p *Pictures) Look(ctx context.Context, r io.ReadSeeker, contentType string) (Info, error) {
	o, err := p.open(ctx, r, contentType)
	if err != nil {
		return Info{}, err
	}
	info := Info{Width: o.width, Height: o.height}
	if o.header.turned() {
		info.Width, info.Height = o.height, o.width
	}
	if o.header.animated {
		return info, nil
	}
	err = p.withPixels(ctx, o, 0, func(img image.Image) error {
		small := turn(thumbnail(img), o.header.orientation)
		info.Blurhash, err = blurhash.Encode(4, 3, small)
		return err
	})
	if err != nil {
		return Info{}, err
	}
	return info, nil
}

// open reads the beginning of a picture.
func (p *Pictures) open(ctx context.Context, r io.ReadSeeker, contentType string) (*opened, error) {
	c, ok := codecs[contentType]
	if !ok {
		return nil, ErrUnreadable
	}
	o := &opened{codec: c, src: &cancelled{ctx, r}}
	header, err := readHeader(o.src, contentType)
	if err != nil {
		return nil, unreadable(ctx, err)
	}
	if _, err := o.src.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	config, err := c.config(bufio.NewReader(o.src))
	if err != nil {
		return nil, unreadable(ctx, err)
	}
	o.header, o.width, o.height = header, config.Width, config.Height
	pixels := int64(config.Width) * int64(config.Height)
	switch {
	case config.Width <= 0 || config.Height <= 0:
		return nil, ErrUnreadable
	case config.Width > 1<<20 || config.Height > 1<<20: // so that the product below is right
		return nil, ErrPixels
	}
	o.bytes = pixels * header.perPixel
	if pixels > p.maxPixels || o.bytes > p.memory {
		return nil, fmt.Errorf("%w: %d × %d, of %d at most", ErrPixels, config.Width, config.Height, p.maxPixels)
	}
	return o, nil
}

// withPixels reads the pixels and calls f with them. It waits until there is memory for them, and
// for extra bytes.
func (p *Pictures) withPixels(ctx context.Context, o *opened, extra int64, f func(image.Image) error) error {
	n := min(max(o.bytes+o.header.fixed+extra, p.share), p.memory)
	waiting, cancel := context.WithTimeout(ctx, maxWait)
	defer cancel()
	if err := p.free.Acquire(waiting, n); err != nil {
		return ErrBusy
	}
	defer p.free.Release(n)
	if _, err := o.src.Seek(0, io.SeekStart); err != nil {
		return err
	}
	img, err := o.decode(bufio.NewReaderSize(o.src, 64<<10), o.header)
	if err != nil {
		return unreadable(ctx, err)
	}
	if img.Bounds().Dx() <= 0 || img.Bounds().Dy() <= 0 {
		return ErrUnreadable
	}
	return f(img)
}

// unreadable returns the error of reading a picture: that of ctx, that of the reader, or
// ErrUnreadable.
func unreadable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if failed, ok := errors.AsType[*readError](err); ok {
		return failed.err
	}
	return ErrUnreadable
}

// cancelled is a reader that fails once its context ends. So a decoder ends as well, which knows no
// contexts.
type cancelled struct {
	ctx context.Context
	r   io.ReadSeeker
}

// readError is an error of the storage, and not of the picture.
type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }

func (c *cancelled) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(b)
	if err != nil && err != io.EOF {
		err = &readError{err}
	}
	return n, err
}

func (c *cancelled) Seek(offset int64, whence int) (int64, error) { return c.r.Seek(offset, whence) }

// thumbnailSide is the longer side of the picture that a blurhash is made of.
const thumbnailSide = 32

// thumbnail returns a picture of 32 pixels at most on each side.
func thumbnail(img image.Image) *image.RGBA {
	small := reduce(img, img.Bounds(), max(1, max(img.Bounds().Dx(), img.Bounds().Dy())/(2*thumbnailSide)))
	w, h := within(small.Bounds().Dx(), small.Bounds().Dy(), thumbnailSide, thumbnailSide)
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.ApproxBiLinear.Scale(dst, dst.Bounds(), small, small.Bounds(), draw.Src, nil)
	return dst
}
