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
	progressive bool // a JPEG whose coefficients are all kept until its end
	subsampled  bool // a JPEG with less colour than brightness
	orientation int  // of EXIF, 1 to 8; 1 is upright, and what is not known
	animated    bool // a WebP that moves
}

// turned reports whether width and height are exchanged when the picture is shown.
func (h header) turned() bool { return h.orientation >= 5 }

// maxHeader is how far into a JPEG its sizes may begin.
const maxHeader = 4 << 20

// maxScans is how often a JPEG may go over its pixels. Those of cameras and programs do it 15 times
// at most. One takes as long as the picture has pixels, in as few bytes as you like.
const maxScans = 100

// scans is a reader that ends a JPEG of too many scans. Each begins with a marker, and with a
// length below 256.
type scans struct {
	r    io.Reader
	last uint32 // the last bytes that were read
	n    int
}

func (s *scans) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	for _, of := range b[:n] {
		if s.last = s.last<<8&0xFFFFFF | uint32(of); s.last == 0xFFDA00 {
			s.n++
		}
	}
	if s.n > maxScans {
		return 0, errors.New("the JPEG has too many scans")
	}
	return n, err
}

// readHeader reads the beginning of a picture. It returns an error if that cannot be read.
func readHeader(r *bufio.Reader, contentType string) (header, error) {
	h := header{orientation: 1}
	switch contentType {
	case "image/jpeg":
		return h, h.readJPEG(r)
	case "image/webp":
		begin := make([]byte, 21)
		if _, err := io.ReadFull(r, begin); err != nil {
			return h, err
		}
		h.animated = string(begin[12:16]) == "VP8X" && begin[20]&2 != 0
	}
	return h, nil
}

// readJPEG reads the segments of a JPEG until the one with its size.
func (h *header) readJPEG(r *bufio.Reader) error {
	if _, err := r.Discard(2); err != nil {
		return err
	}
	for read := 0; read < maxHeader; {
		marker, err := nextMarker(r)
		if err != nil {
			return err
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
		case marker >= 0xC0 && marker <= 0xC2:
			h.progressive = marker == 0xC2
			h.subsampled = subsampled(segment)
			return nil
		case marker == 0xDA: // pixels without a size
			return io.ErrUnexpectedEOF
		}
		read += n + 4
	}
	return io.ErrUnexpectedEOF
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

// subsampled reports whether a JPEG's first component has more samples than its second one.
func subsampled(sof []byte) bool {
	return len(sof) >= 12 && sof[5] >= 3 && sof[7] != sof[10]
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
