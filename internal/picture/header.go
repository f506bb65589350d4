package picture

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

// header is what decoders do not tell of a picture before they read it.
type header struct {
	perPixel    int64 // how many bytes a pixel takes while the picture is read
	fixed       int64 // how many more bytes it may take, whatever its size
	pixelsAt    int64 // where in a JPEG its first scan begins
	orientation int   // of EXIF, 1 to 8; 1 is upright, and what is not known
	animated    bool  // a WebP that moves
}

// turned reports whether width and height are exchanged when the picture is shown.
func (h header) turned() bool { return h.orientation >= 5 }

// maxHeader is how far into a JPEG its sizes may begin.
const maxHeader = 4 << 20

// maxScans is how often a JPEG may go over its pixels. Those of cameras and programs do it 15 times
// at most. One takes as long as the picture has pixels, in as few bytes as you like.
const maxScans = 100

// scans is a reader that ends a JPEG of too many scans. Each begins with a marker, and with a
// length below 256. It also ends one that says what its colours are after its first scan, as those
// of no program do: it would take more memory than is known before.
type scans struct {
	r    io.Reader
	skip int64  // how many bytes come before the first scan
	last uint32 // the last bytes that were read
	n    int
}

func (s *scans) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	before := min(s.skip, int64(n))
	s.skip -= before
	for _, of := range b[before:n] {
		s.last = s.last<<8&0xFFFFFF | uint32(of)
		if s.last == 0xFFDA00 {
			s.n++
		}
		if s.last&0xFFFF == 0xFFEE {
			return 0, errors.New("the JPEG has its colours after its pixels")
		}
	}
	if s.n >= maxScans { // beside the first one
		return 0, errors.New("the JPEG has too many scans")
	}
	return n, err
}

// counted counts the bytes of a reader.
type counted struct {
	io.Reader
	n int64
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.n += int64(n)
	return n, err
}

// treesOfWebP is how many bytes the Huffman trees of a lossless WebP may take: 2600 groups of them,
// as package vp8l allows, of 50 KB each.
const treesOfWebP = 130_000_000

// readHeader reads the beginning of a picture. It returns an error if that cannot be read.
func readHeader(src io.Reader, contentType string) (header, error) {
	h := header{orientation: 1, perPixel: 4}
	all := &counted{Reader: src}
	r := bufio.NewReader(all)
	switch contentType {
	case "image/jpeg":
		err := h.readJPEG(r)
		h.pixelsAt = all.n - int64(r.Buffered())
		return h, err
	case "image/png":
		return h, h.readPNG(r)
	case "image/webp":
		return h, h.readWebP(r)
	}
	return h, nil
}

// readPNG reads how the pixels of a PNG are stored.
func (h *header) readPNG(r io.Reader) error {
	begin := make([]byte, 29)
	if _, err := io.ReadFull(r, begin); err != nil {
		return err
	}
	if depth, interlaced := begin[24], begin[28] != 0; depth == 16 {
		h.perPixel = 8 // grey as well, as it may be transparent
		if interlaced {
			h.perPixel = 16 // all of the picture, and its parts
		}
	} else if interlaced {
		h.perPixel = 8
	}
	return nil
}

// readWebP reads of which kind a WebP is.
func (h *header) readWebP(r io.Reader) error {
	begin := make([]byte, 21)
	if _, err := io.ReadFull(r, begin); err != nil {
		return err
	}
	kind := string(begin[12:16])
	if h.animated = kind == "VP8X" && begin[20]&2 != 0; kind != "VP8 " {
		h.perPixel, h.fixed = 9, treesOfWebP // before and after colours take the place of numbers
	}
	return nil
}

// readJPEG reads the segments of a JPEG until its pixels begin.
func (h *header) readJPEG(r *bufio.Reader) error {
	if _, err := r.Discard(2); err != nil {
		return err
	}
	var frame []byte
	progressive, plainRGB := false, false
	for read := 0; read < maxHeader; {
		marker, err := nextMarker(r)
		if err != nil {
			return err
		}
		if marker == 0xDA && frame != nil {
			h.perPixel = jpegBytes(frame, progressive, plainRGB)
			return nil
		}
		if marker == 0xDA { // pixels without a size
			return io.ErrUnexpectedEOF
		}
		var size [2]byte
		if _, err := io.ReadFull(r, size[:]); err != nil {
			return err
		}
		n := int(binary.BigEndian.Uint16(size[:])) - 2
		if n < 0 {
			return io.ErrUnexpectedEOF
		}
		segment := make([]byte, n)
		if _, err := io.ReadFull(r, segment); err != nil {
			return err
		}
		switch {
		case marker == 0xE1:
			if exif, ok := bytes.CutPrefix(segment, []byte("Exif\x00\x00")); ok {
				h.orientation = orientation(exif)
			}
		case marker == 0xEE:
			plainRGB = plainRGB || len(segment) >= 12 && segment[11] == 0
		case marker >= 0xC0 && marker <= 0xC2:
			frame, progressive = segment, marker == 0xC2
		}
		read += n + 4
	}
	return io.ErrUnexpectedEOF
}

// jpegBytes returns how many bytes a pixel of a JPEG takes: its samples; four for each of them if
// it is progressive, whose coefficients are kept until its end; and four more if it is decoded once
// more, into pixels of CMYK or RGB.
func jpegBytes(frame []byte, progressive, plainRGB bool) int64 {
	if len(frame) < 6 || len(frame) < 6+3*int(frame[5]) {
		return 24 // the decoder refuses it
	}
	components := frame[6 : 6+3*int(frame[5])]
	var samples, most int64
	names := ""
	for ; len(components) >= 3; components = components[3:] {
		n := int64(components[1]>>4) * int64(components[1]&15)
		samples, most = samples+n, max(most, n, 1)
		names += string(components[0])
	}
	if progressive {
		samples *= 5
	}
	perPixel := (samples + most - 1) / most
	if frame[5] == 4 || frame[5] == 3 && (plainRGB || names == "RGB") {
		perPixel += 4
	}
	return max(4, perPixel)
}

// nextMarker returns the next marker that has a segment.
func nextMarker(r *bufio.Reader) (byte, error) {
	for range 1 << 16 {
		b, err := r.ReadByte()
		if err != nil {
			return 0, err
		}
		if b != 0xFF {
			continue
		}
		for b == 0xFF {
			if b, err = r.ReadByte(); err != nil {
				return 0, err
			}
		}
		if b != 0 && b != 1 && (b < 0xD0 || b > 0xD8) {
			return b, nil
		}
	}
	return 0, io.ErrUnexpectedEOF
}

// orientation returns the orientation that EXIF says, from 1 to 8, or 1 if it says none.
func orientation(exif []byte) int {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(exif, []byte("II*\x00")):
		order = binary.LittleEndian
	case bytes.HasPrefix(exif, []byte("MM\x00*")):
		order = binary.BigEndian
	default:
		return 1
	}
	if len(exif) < 8 {
		return 1
	}
	at := int64(order.Uint32(exif[4:]))
	if at+2 > int64(len(exif)) {
		return 1
	}
	entries := exif[at+2:]
	for range order.Uint16(exif[at:]) {
		if len(entries) < 12 {
			return 1
		}
		const tag, short = 0x0112, 3
		if order.Uint16(entries) == tag && order.Uint16(entries[2:]) == short {
			if o := int(order.Uint16(entries[8:])); o >= 1 && o <= 8 {
				return o
			}
			return 1
		}
		entries = entries[12:]
	}
	return 1
}
