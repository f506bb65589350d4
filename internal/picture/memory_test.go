package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"runtime"
	"strings"
	"testing"
)

// plainJPEG returns a JPEG of grey pixels. samples has the sampling factors of each component, such
// as "\x22\x11\x11". If adobe is not negative, it says what the colours are, before or after the
// pixels.
func plainJPEG(side uint16, samples string, progressive bool, adobe int, after bool) []byte {
	var b bytes.Buffer
	segment := func(marker byte, data string) {
		b.Write([]byte{0xFF, marker})
		_ = binary.Write(&b, binary.BigEndian, uint16(len(data)+2))
		b.WriteString(data)
	}
	colours := func(now bool) {
		if adobe >= 0 && now {
			segment(0xEE, "Adobe\x00d\x00\x00\x00\x00"+string(rune(adobe)))
		}
	}
	b.WriteString("\xFF\xD8")
	colours(!after)
	segment(0xDB, "\x00"+strings.Repeat("\x01", 64))
	sof, frame, scan := byte(0xC0), string(binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16([]byte{8}, side), side)), ""
	last := "\x00\x3F\x00"
	if progressive {
		sof, last = 0xC2, "\x00\x00\x00"
	}
	frame += string([]byte{byte(len(samples))})
	for i, factors := range []byte(samples) {
		frame += string([]byte{byte(i + 1), factors, 0})
		scan += string([]byte{byte(i + 1), 0})
	}
	segment(sof, frame)
	segment(0xC4, "\x00\x01"+strings.Repeat("\x00", 16))
	segment(0xC4, "\x10\x01"+strings.Repeat("\x00", 16))
	segment(0xDA, string([]byte{byte(len(samples))})+scan+last)
	b.Write(make([]byte, int(side)*int(side)*len(samples)/64+1000)) // more than enough
	colours(after)
	b.WriteString("\xFF\xD9")
	return b.Bytes()
}

// plainPNG returns a PNG of black pixels, grey (0) or in colours (2 and 6).
func plainPNG(side uint32, depth, colours byte, interlaced, transparent bool) []byte {
	var b bytes.Buffer
	chunk := func(kind string, data []byte) {
		_ = binary.Write(&b, binary.BigEndian, uint32(len(data)))
		b.WriteString(kind)
		b.Write(data)
		_ = binary.Write(&b, binary.BigEndian, crc32.ChecksumIEEE(append([]byte(kind), data...)))
	}
	channels := map[byte]int{0: 1, 2: 3, 4: 2, 6: 4}[colours]
	passes := [][4]int{{0, 0, 1, 1}}
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, side), side)
	head = append(head, depth, colours, 0, 0, 0)
	if interlaced {
		head[12] = 1
		passes = [][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}
	}
	b.WriteString("\x89PNG\r\n\x1a\n")
	chunk("IHDR", head)
	if transparent {
		chunk("tRNS", make([]byte, 2*channels))
	}
	var data bytes.Buffer
	z := zlib.NewWriter(&data)
	for _, p := range passes {
		width, height := (int(side)-p[0]+p[2]-1)/p[2], (int(side)-p[1]+p[3]-1)/p[3]
		_, _ = z.Write(make([]byte, (1+width*channels*int(depth)/8)*height))
	}
	_ = z.Close()
	chunk("IDAT", data.Bytes())
	chunk("IEND", nil)
	return b.Bytes()
}

// TestMemory reads pictures of all kinds. None takes more memory than was counted before.
func TestMemory(t *testing.T) { // not in parallel: it measures what is allocated
	const side = 512
	var all [][]byte
	for _, samples := range []string{"\x11", "\x11\x11\x11", "\x22\x11\x11", "\x21\x11\x11", "\x41\x11\x11", "\x22\x12\x12", "\x11\x11\x11\x11", "\x22\x11\x11\x22"} {
		for _, progressive := range []bool{false, true} {
			for _, adobe := range []int{-1, 0, 2} {
				all = append(all, plainJPEG(side, samples, progressive, adobe, false))
			}
		}
	}
	jpegs := len(all)
	for _, colours := range []byte{0, 2, 4, 6} {
		for _, depth := range []byte{8, 16} {
			for _, interlaced := range []bool{false, true} {
				all = append(all, plainPNG(side, depth, colours, interlaced, false))
				if colours < 4 {
					all = append(all, plainPNG(side, depth, colours, interlaced, true))
				}
			}
		}
	}
	read := 0
	for i, b := range all {
		contentType := "image/jpeg"
		if i >= jpegs {
			contentType = "image/png"
		}
		h, err := readHeader(bytes.NewReader(b), contentType)
		if err != nil {
			t.Fatalf("picture %d: %v", i, err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err = codecs[contentType].decode(bytes.NewReader(b), h)
		runtime.ReadMemStats(&after)
		if err == nil {
			read++
		} else if contentType == "image/png" {
			t.Errorf("picture %d: %v", i, err)
		}
		if took, counted := int64(after.TotalAlloc-before.TotalAlloc), side*side*h.perPixel+200<<10; took > counted {
			t.Errorf("picture %d, % x: took %d bytes, of %d that were counted", i, b[:40], took, counted)
		}
	}
	if read < len(all)-6 { // JPEGs of four components need to say their colours
		t.Errorf("%d of %d pictures could be read", read, len(all))
	}
}

// TestColoursAfterPixels reads a JPEG that says after its pixels what its colours are.
func TestColoursAfterPixels(t *testing.T) {
	t.Parallel()
	p := New(1 << 20)
	for after, want := range map[bool]error{false: nil, true: ErrUnreadable} {
		if _, err := p.Look(t.Context(), bytes.NewReader(plainJPEG(512, "\x22\x11\x11", false, 0, after)), "image/jpeg"); !errors.Is(err, want) {
			t.Errorf("after the pixels %t: %v", after, err)
		}
	}
}
