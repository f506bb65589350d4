package picture

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"runtime"
	"testing"
	"testing/iotest"
)

// quarters returns a picture whose quarters are red, green, blue and white.
func quarters(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	colors := [2][2]color.NRGBA{{{255, 0, 0, 255}, {0, 255, 0, 255}}, {{0, 0, 255, 255}, {255, 255, 255, 255}}}
	for y := range h {
		for x := range w {
			img.SetNRGBA(x, y, colors[min(1, y*2/h)][min(1, x*2/w)])
		}
	}
	return img
}

func asPNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// asJPEG returns a JPEG with an orientation.
func asJPEG(t testing.TB, img image.Image, orientation byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	exif := "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string([]byte{orientation}) + "\x00\x00\x00\x00\x00\x00"
	segment := append([]byte{0xFF, 0xE1, 0, byte(len(exif) + 2)}, exif...)
	return append(append(b.Bytes()[:2:2], segment...), b.Bytes()[2:]...)
}

// bomb returns a PNG of many pixels in few bytes.
func bomb(w, h uint32) []byte {
	var b bytes.Buffer
	b.WriteString("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, data []byte) {
		_ = binary.Write(&b, binary.BigEndian, uint32(len(data)))
		b.WriteString(kind)
		b.Write(data)
		_ = binary.Write(&b, binary.BigEndian, crc32.ChecksumIEEE(append([]byte(kind), data...)))
	}
	head := binary.BigEndian.AppendUint32(nil, w)
	head = binary.BigEndian.AppendUint32(head, h)
	chunk("IHDR", append(head, 8, 6, 0, 0, 0))
	var data bytes.Buffer
	z := zlib.NewWriter(&data)
	_, _ = z.Write(make([]byte, 1<<20))
	_ = z.Close()
	chunk("IDAT", data.Bytes())
	chunk("IEND", nil)
	return b.Bytes()
}

// TestLook reads pictures of each type, and others that cannot be read.
func TestLook(t *testing.T) {
	t.Parallel()
	var moving bytes.Buffer
	frame := image.NewPaletted(image.Rect(0, 0, 30, 20), color.Palette{color.Black, color.White})
	if err := gif.EncodeAll(&moving, &gif.GIF{Image: []*image.Paletted{frame, frame}, Delay: []int{1, 1}}); err != nil {
		t.Fatal(err)
	}
	whole := asPNG(t, quarters(300, 200))
	animated := []byte("RIFF\x20\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x02\x00\x00\x00\x63\x00\x00\x31\x00\x00")
	tests := []struct {
		name, contentType string
		bytes             []byte
		width, height     int
		want              error
	}{
		{"PNG", "image/png", whole, 300, 200, nil},
		{"JPEG", "image/jpeg", asJPEG(t, quarters(300, 200), 1), 300, 200, nil},
		{"JPEG on its side", "image/jpeg", asJPEG(t, quarters(300, 200), 6), 200, 300, nil},
		{"GIF", "image/gif", moving.Bytes(), 30, 20, nil},
		{"WebP that moves", "image/webp", animated, 100, 50, nil},
		{"one pixel", "image/png", asPNG(t, quarters(1, 1)), 1, 1, nil},
		{"a line", "image/png", asPNG(t, quarters(5000, 1)), 5000, 1, nil},
		{"half a PNG", "image/png", whole[:len(whole)/2], 0, 0, ErrUnreadable},
		{"nothing", "image/png", nil, 0, 0, ErrUnreadable},
		{"nothing of a JPEG", "image/jpeg", []byte{0xFF, 0xD8}, 0, 0, ErrUnreadable},
		{"nothing of a WebP", "image/webp", []byte("RIFF"), 0, 0, ErrUnreadable},
		{"another type", "image/jpeg", whole, 0, 0, ErrUnreadable},
		{"no picture", "text/html", []byte("<html>"), 0, 0, ErrUnreadable},
		{"a bomb", "image/png", bomb(50_000, 50_000), 0, 0, ErrPixels},
		{"a bomb of one line", "image/png", bomb(1<<30, 1), 0, 0, ErrPixels},
		{"a bomb without height", "image/png", bomb(10, 0), 0, 0, ErrUnreadable},
		{"a JPEG bomb", "image/jpeg", []byte("\xFF\xD8\xFF\xC0\x00\x11\x08\xFF\xFF\xFF\xFF\x03\x01\x11\x00\x02\x11\x00\x03\x11\x00\xFF\xDA\x00\x0C"), 0, 0, ErrPixels},
		{"a GIF bomb", "image/gif", []byte("GIF89a\xFF\xFF\xFF\xFF\x00\x00\x00;"), 0, 0, ErrPixels},
	}
	p := New(20_000_000)
	for _, tt := range tests {
		info, err := p.Look(t.Context(), bytes.NewReader(tt.bytes), tt.contentType)
		if !errors.Is(err, tt.want) || info.Width != tt.width || info.Height != tt.height {
			t.Errorf("%s: %+v, %v; want %d × %d, %v", tt.name, info, err, tt.width, tt.height, tt.want)
		}
		if moves := tt.name == "WebP that moves"; err == nil && (info.Blurhash == "") != moves {
			t.Errorf("%s: the blurhash is %q", tt.name, info.Blurhash)
		}
	}
}

// TestResize makes smaller pictures. Their sizes and corners have to be right.
func TestResize(t *testing.T) {
	t.Parallel()
	p := New(20_000_000)
	const red, green, blue, white = "red", "green", "blue", "white"
	tests := []struct {
		name          string
		from          []byte
		contentType   string
		size          Size
		as            string
		width, height int
		corners       [4]string // from the left at the top, line by line
	}{
		{"width", asPNG(t, quarters(300, 200)), "image/png", Size{Width: 30}, "image/png", 30, 20, [4]string{red, green, blue, white}},
		{"height", asPNG(t, quarters(300, 200)), "image/png", Size{Height: 50}, "image/jpeg", 75, 50, [4]string{red, green, blue, white}},
		{"within both", asPNG(t, quarters(300, 200)), "image/png", Size{Width: 90, Height: 90}, "image/png", 90, 60, [4]string{red, green, blue, white}},
		{"not larger", asPNG(t, quarters(30, 20)), "image/png", Size{Width: 300, Height: 300}, "image/png", 30, 20, [4]string{red, green, blue, white}},
		{"filled", asPNG(t, quarters(300, 200)), "image/png", Size{Width: 40, Height: 80, Cover: true}, "image/png", 40, 80, [4]string{red, green, blue, white}},
		{"filled, not larger", asPNG(t, quarters(30, 20)), "image/png", Size{Width: 400, Height: 400, Cover: true}, "image/png", 20, 20, [4]string{red, green, blue, white}},
		{"a line", asPNG(t, quarters(5000, 2)), "image/png", Size{Width: 10, Height: 10}, "image/png", 10, 1, [4]string{}},
		{"on its side", asJPEG(t, quarters(300, 200), 6), "image/jpeg", Size{Width: 20}, "image/jpeg", 20, 30, [4]string{blue, red, white, green}},
		{"on its other side", asJPEG(t, quarters(300, 200), 8), "image/jpeg", Size{Width: 20}, "image/png", 20, 30, [4]string{green, white, red, blue}},
		{"on its head", asJPEG(t, quarters(300, 200), 3), "image/jpeg", Size{Width: 30}, "image/png", 30, 20, [4]string{white, blue, green, red}},
		{"mirrored", asJPEG(t, quarters(300, 200), 2), "image/jpeg", Size{Width: 30}, "image/png", 30, 20, [4]string{green, red, white, blue}},
		{"mirrored at the bottom", asJPEG(t, quarters(300, 200), 4), "image/jpeg", Size{Width: 30}, "image/png", 30, 20, [4]string{blue, white, red, green}},
		{"mirrored and turned", asJPEG(t, quarters(300, 200), 5), "image/jpeg", Size{Width: 20}, "image/png", 20, 30, [4]string{red, blue, green, white}},
		{"mirrored and turned the other way", asJPEG(t, quarters(300, 200), 7), "image/jpeg", Size{Width: 20}, "image/png", 20, 30, [4]string{white, green, blue, red}},
	}
	for _, tt := range tests {
		var b bytes.Buffer
		if err := p.Resize(t.Context(), &b, bytes.NewReader(tt.from), tt.contentType, tt.size, tt.as); err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if bytes.Contains(b.Bytes(), []byte("Exif")) {
			t.Errorf("%s: it has metadata", tt.name)
		}
		img, format, err := image.Decode(&b)
		if err != nil || "image/"+format != tt.as || img.Bounds() != image.Rect(0, 0, tt.width, tt.height) {
			t.Errorf("%s: %s %v, %v; want %s of %d × %d", tt.name, format, img.Bounds(), err, tt.as, tt.width, tt.height)
			continue
		}
		w, h := tt.width-1, tt.height-1
		for i, at := range []image.Point{{1, 1}, {w - 1, 1}, {1, h - 1}, {w - 1, h - 1}} {
			if got := nameOf(img.At(at.X, at.Y)); tt.corners[i] != "" && got != tt.corners[i] {
				t.Errorf("%s: corner %d is %s, want %s", tt.name, i, got, tt.corners[i])
			}
		}
	}
	if err := p.Resize(t.Context(), io.Discard, bytes.NewReader(bomb(50_000, 50_000)), "image/png", Size{Width: 1}, "image/png"); !errors.Is(err, ErrPixels) {
		t.Errorf("a bomb: %v", err)
	}
}

func nameOf(c color.Color) string {
	r, g, b, _ := c.RGBA()
	switch bright := [3]bool{r > 0xC000, g > 0xC000, b > 0xC000}; bright {
	case [3]bool{true, false, false}:
		return "red"
	case [3]bool{false, true, false}:
		return "green"
	case [3]bool{false, false, true}:
		return "blue"
	case [3]bool{true, true, true}:
		return "white"
	}
	return "another color"
}

// TestTransparent makes a JPEG of a picture that is transparent: it gets a white ground.
func TestTransparent(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	err := New(1_000_000).Resize(t.Context(), &b, bytes.NewReader(asPNG(t, image.NewNRGBA(image.Rect(0, 0, 40, 40)))), "image/png", Size{Width: 20}, "image/jpeg")
	if err != nil {
		t.Fatal(err)
	}
	img, err := jpeg.Decode(&b)
	if err != nil || nameOf(img.At(10, 10)) != "white" {
		t.Errorf("%v, %v", img, err)
	}
}

// TestGivenUp has a request end, and a storage fail, while a picture is read. Neither is the fault
// of the picture. While all memory is taken, pictures wait, and give up with the request.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	p, whole := New(1_000_000), asPNG(t, quarters(300, 200))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Look(ended, bytes.NewReader(whole), "image/png"); !errors.Is(err, context.Canceled) {
		t.Errorf("a request that ended: %v", err)
	}
	broken := errors.New("the disk is broken")
	half := struct {
		io.Reader
		io.Seeker
	}{io.MultiReader(bytes.NewReader(whole[:20]), iotest.ErrReader(broken)), bytes.NewReader(whole)}
	if _, err := p.Look(t.Context(), half, "image/png"); !errors.Is(err, broken) {
		t.Errorf("a storage that fails: %v", err)
	}
	if !p.free.TryAcquire(p.memory) {
		t.Fatal("memory is taken after all was read")
	}
	waiting, giveUp := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := p.Look(waiting, bytes.NewReader(whole), "image/png")
		done <- err
	}()
	giveUp()
	if err := <-done; err == nil {
		t.Error("a picture was read without memory for it")
	}
}

// TestProcessors reads as many pictures as may be read at once. A processor is left to others.
func TestProcessors(t *testing.T) {
	t.Parallel()
	p, begun, end := New(1_000_000), make(chan bool), make(chan bool)
	waits := codec{decode: func(io.Reader, header) (image.Image, error) { begun <- true; <-end; return nil, ErrUnreadable }}
	most := min(mostAtOnce, max(1, runtime.GOMAXPROCS(0)-1))
	for range most {
		go func() { _ = p.withPixels(t.Context(), &opened{codec: waits, src: bytes.NewReader(nil)}, 0, nil) }()
	}
	for range most {
		<-begun
	}
	if p.free.TryAcquire(p.memory / mostAtOnce) {
		t.Errorf("more than %d pictures are read at once", most)
	}
	close(end)
}

// FuzzLook reads anything as pictures. It must neither panic nor allocate more than it may.
func FuzzLook(f *testing.F) {
	f.Add(asPNG(f, quarters(3, 2)), uint8(0))
	f.Add(asJPEG(f, quarters(3, 2), 6), uint8(1))
	f.Add([]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"), uint8(2))
	f.Add([]byte("RIFF\x20\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x02\x00\x00\x00\x63\x00\x00\x31\x00\x00"), uint8(3))
	p := New(10_000)
	f.Fuzz(func(t *testing.T, b []byte, kind uint8) {
		types := [...]string{"image/png", "image/jpeg", "image/gif", "image/webp"}
		contentType := types[int(kind)%len(types)]
		info, err := p.Look(t.Context(), bytes.NewReader(b), contentType)
		if err == nil && info.Width*info.Height > 10_000 {
			t.Errorf("%+v", info)
		}
		_ = p.Resize(t.Context(), io.Discard, bytes.NewReader(b), contentType, Size{Width: 5, Height: 5, Cover: true}, "image/png")
	})
}
