package picture

import (
	"context"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/draw"
)

// Size is a size that is wanted. A side that is 0 follows from the other one.
type Size struct {
	Width, Height int
	Cover         bool // cut, so that both sides are filled
}

// quality is that of the JPEGs that are written.
const quality = 82

// Resize writes a picture that is no larger than the original, upright and without its metadata, as
// "image/jpeg" or "image/png". Both sides of size have to be bounded by the caller, and one of them
// has to be more than 0. It returns what Look returns, or ErrAnimated.
func (p *Pictures) Resize(ctx context.Context, w io.Writer, r io.ReadSeeker, contentType string, size Size, as string) error {
	o, err := p.open(ctx, r, contentType)
	if err != nil {
		return err
	}
	if o.header.animated {
		return ErrAnimated
	}
	if o.header.turned() {
		size.Width, size.Height = size.Height, size.Width
	}
	from, width, height := size.fit(o.width, o.height)
	extra := int64(width)*int64(height)*16 + o.bytes/4
	return p.withPixels(ctx, o, extra, func(img image.Image) error {
		from = from.Add(img.Bounds().Min).Intersect(img.Bounds())
		return write(w, turn(scale(img, from, width, height), o.header.orientation), as)
	})
}

// fit returns which part of a picture is shown, and how large. Nothing is made larger.
func (s Size) fit(width, height int) (from image.Rectangle, w, h int) {
	from = image.Rect(0, 0, width, height)
	if !s.Cover || s.Width == 0 || s.Height == 0 {
		w, h = within(width, height, s.Width, s.Height)
		return from, w, h
	}
	// The part has the proportions of what is wanted.
	cutWidth, cutHeight := width, height
	if int64(width)*int64(s.Height) > int64(height)*int64(s.Width) {
		cutWidth = max(1, int(int64(height)*int64(s.Width)/int64(s.Height)))
	} else {
		cutHeight = max(1, int(int64(width)*int64(s.Height)/int64(s.Width)))
	}
	left, top := (width-cutWidth)/2, (height-cutHeight)/2
	from = image.Rect(left, top, left+cutWidth, top+cutHeight)
	w, h = within(cutWidth, cutHeight, s.Width, s.Height)
	return from, w, h
}

// within returns the largest size of the same proportions that is within both sides, and no larger
// than it was. A side that is 0 does not count. Each side is 1 at least.
func within(width, height, maxWidth, maxHeight int) (w, h int) {
	w, h = width, height
	if maxWidth > 0 && w > maxWidth {
		w, h = maxWidth, int((int64(height)*int64(maxWidth)+int64(width)/2)/int64(width))
	}
	if maxHeight > 0 && h > maxHeight {
		w, h = int((int64(width)*int64(maxHeight)+int64(height)/2)/int64(height)), maxHeight
	}
	return max(1, w), max(1, h)
}

// scale returns a part of a picture in another size.
func scale(img image.Image, from image.Rectangle, width, height int) *image.RGBA {
	if by := min(from.Dx()/width, from.Dy()/height); by > 1 {
		img = reduce(img, from, by)
		from = img.Bounds()
	}
	dst := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.ApproxBiLinear.Scale(dst, dst.Bounds(), img, from, draw.Src, nil)
	return dst
}

// reduce returns a part of a picture whose pixels are each the mean of by × by. What is left over
// at the right and at the bottom is cut. It takes the memory of one row beside the answer.
func reduce(img image.Image, from image.Rectangle, by int) *image.RGBA {
	width, height := max(1, from.Dx()/by), max(1, from.Dy()/by)
	dst := image.NewRGBA(image.Rect(0, 0, width, height))
	row := image.NewRGBA(image.Rect(0, 0, min(width*by, from.Dx()), 1))
	sums := make([]uint64, 4*width)
	for y := range height {
		clear(sums)
		rows := min(by, from.Dy()-y*by)
		for i := range rows {
			draw.Draw(row, row.Bounds(), img, from.Min.Add(image.Pt(0, y*by+i)), draw.Src)
			add(sums, row.Pix, by)
		}
		area := uint64(min(by, row.Bounds().Dx())) * uint64(rows)
		for i, sum := range sums {
			dst.Pix[y*dst.Stride+i] = uint8((sum + area/2) / area)
		}
	}
	return dst
}

// add adds the pixels of a row to the sums, by pixels to each.
func add(sums []uint64, row []byte, by int) {
	for i := 0; i < len(sums); i += 4 {
		for range min(by, len(row)/4) {
			sums[i] += uint64(row[0])
			sums[i+1] += uint64(row[1])
			sums[i+2] += uint64(row[2])
			sums[i+3] += uint64(row[3])
			row = row[4:]
		}
	}
}

// turn returns a picture upright, as its orientation of EXIF says.
func turn(img *image.RGBA, orientation int) *image.RGBA {
	if orientation <= 1 || orientation > 8 {
		return img
	}
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	size := image.Rect(0, 0, w, h)
	if orientation >= 5 {
		size = image.Rect(0, 0, h, w)
	}
	dst := image.NewRGBA(size)
	for y := range h {
		for x := range w {
			to := turned(x, y, w, h, orientation)
			copy(dst.Pix[dst.PixOffset(to.X, to.Y):][:4], img.Pix[img.PixOffset(x, y):][:4])
		}
	}
	return dst
}

// turned returns where a pixel of a picture of w × h goes.
func turned(x, y, w, h, orientation int) image.Point {
	switch orientation {
	case 2:
		return image.Pt(w-1-x, y)
	case 3:
		return image.Pt(w-1-x, h-1-y)
	case 4:
		return image.Pt(x, h-1-y)
	case 5:
		return image.Pt(y, x)
	case 6:
		return image.Pt(h-1-y, x)
	case 7:
		return image.Pt(h-1-y, w-1-x)
	default:
		return image.Pt(y, w-1-x)
	}
}

// write writes a picture. A JPEG shows white where the picture is transparent.
func write(w io.Writer, img *image.RGBA, as string) error {
	if as == "image/png" {
		return png.Encode(w, img)
	}
	if !img.Opaque() {
		ground := image.NewRGBA(img.Bounds())
		draw.Draw(ground, ground.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
		draw.Draw(ground, ground.Bounds(), img, image.Point{}, draw.Over)
		img = ground
	}
	return jpeg.Encode(w, img, &jpeg.Options{Quality: quality})
}
