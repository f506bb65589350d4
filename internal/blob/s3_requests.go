package blob

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/minio/minio-go/v7"
)

// requests are the requests to one bucket. They are functions, so that the linker sees which of the
// client's methods are called. With the client in a field of S3, which is used as a Storage, it
// would keep all 109 of them and what they need.
type requests struct {
	stat    func(ctx context.Context, name string) (minio.ObjectInfo, error)
	get     func(ctx context.Context, name, etag string) (io.ReadSeekCloser, error)
	put     func(ctx context.Context, name string, r io.Reader, size int64) error
	presign func(ctx context.Context, name string, expires time.Duration, header http.Header) (*url.URL, error)
	copy    func(ctx context.Context, from, etag, to string) error
	list    func(ctx context.Context, prefix string) <-chan minio.ObjectInfo
	remove  func(ctx context.Context, name string) error
}

// requestsTo returns the requests of a client to a bucket. get and copy fail unless the object has
// the given ETag.
func requestsTo(client *minio.Client, bucket string) requests {
	return requests{
		stat: func(ctx context.Context, name string) (minio.ObjectInfo, error) {
			return client.StatObject(ctx, bucket, name, minio.StatObjectOptions{})
		},
		get: func(ctx context.Context, name, etag string) (io.ReadSeekCloser, error) {
			options := minio.GetObjectOptions{}
			if err := options.SetMatchETag(etag); err != nil {
				return nil, err
			}
			return client.GetObject(ctx, bucket, name, options)
		},
		put: func(ctx context.Context, name string, r io.Reader, size int64) error {
			_, err := client.PutObject(ctx, bucket, name, r, size, minio.PutObjectOptions{
				ContentType: "application/octet-stream", DisableMultipart: size >= 0 && size <= MaxS3Bytes})
			return err
		},
		presign: func(ctx context.Context, name string, expires time.Duration, header http.Header) (*url.URL, error) {
			return client.PresignHeader(ctx, http.MethodPut, bucket, name, expires, nil, header)
		},
		copy: func(ctx context.Context, from, etag, to string) error {
			_, err := client.CopyObject(ctx, minio.CopyDestOptions{Bucket: bucket, Object: to},
				minio.CopySrcOptions{Bucket: bucket, Object: from, MatchETag: etag})
			return err
		},
		list: func(ctx context.Context, prefix string) <-chan minio.ObjectInfo {
			return client.ListObjects(ctx, bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true})
		},
		remove: func(ctx context.Context, name string) error {
			return client.RemoveObject(ctx, bucket, name, minio.RemoveObjectOptions{})
		},
	}
}
