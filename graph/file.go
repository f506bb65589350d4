package graph

import (
	"context"

	"forge/graph/model"
	"forge/internal/file"
)

func (r *Resolver) createUpload(ctx context.Context, in model.CreateUploadInput) (*model.CreateUploadPayload, error) {
	id, how, err := r.Uploads.Create(ctx, in.Name, in.ContentType, in.Size)
	if err != nil {
		return nil, err
	}
	headers := []*model.FileUploadHeader{}
	for _, h := range how.Headers {
		headers = append(headers, &model.FileUploadHeader{Name: h.Name, Value: h.Value})
	}
	return &model.CreateUploadPayload{Upload: &model.FileUpload{FileID: id, URL: how.URL, Method: how.Method, Headers: headers, ExpiresAt: how.ExpiresAt}}, nil
}

// fileURL returns an address of a file. It returns nil if there is no version as it is asked for.
func (r *Resolver) fileURL(f *model.File, expires int32, resize *model.FileResize, format *model.FileFormat) (*string, error) {
	of := file.File{ID: f.ID.UUID, Name: f.Name, ContentType: f.ContentType}
	var size *file.Resize
	if resize != nil {
		size = &file.Resize{Fit: file.Fit(resize.Fit)}
		if width := resize.Width.Value(); width != nil {
			size.Width = int(*width)
		}
		if height := resize.Height.Value(); height != nil {
			size.Height = int(*height)
		}
	}
	as := file.Auto
	if format != nil {
		as = file.Format(*format)
	}
	address, err := r.Uploads.Address(of, expires, size, as)
	if err != nil || address == "" {
		return nil, err
	}
	return &address, nil
}
