package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// These bound how long S3 may take to answer. A read or a write as a whole ends with its context.
const (
	dialTimeout   = 5 * time.Second
	headerTimeout = 15 * time.Second
	idleTimeout   = 30 * time.Second // without a byte of an object that is read
	retries       = 2
)

// MaxS3Bytes is the most that one request can store in S3.
const MaxS3Bytes = 5 << 30

// S3 keeps bytes in a bucket of S3, or of something that is like it.
type S3 struct {
	requests       requests
	bucket, prefix string
	host           string
	origin         string
}

// NewS3 returns the storage in a bucket: s3://KEY:SECRET@HOST[:PORT]/BUCKET[/PREFIX]. Without KEY
// and SECRET, it takes them from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or of the machine
// that it runs on, as AWS gives them. ?region= names the region, us-east-1 if there is none, and
// ?tls=off connects without TLS, as it does to addresses of this machine. An error does not show
// the address.
func NewS3(address string) (*S3, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("it is not an address")
	}
	bucket, prefix, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
	query := u.Query()
	region, tls := query.Get("region"), query.Get("tls")
	query.Del("region")
	query.Del("tls")
	switch {
	case u.Scheme != "s3" || u.Host == "" || bucket == "" || u.Fragment != "":
		return nil, errors.New("it has to be s3://KEY:SECRET@HOST/BUCKET")
	case len(query) > 0:
		return nil, errors.New("what may follow ? is region and tls")
	case tls != "" && tls != "off" && tls != "on":
		return nil, errors.New("tls has to be on or off")
	case prefix != "" && checkKey("x/"+prefix) != nil:
		return nil, errors.New("the prefix may have letters, digits, hyphens and dots")
	}
	if prefix != "" {
		prefix += "/"
	}
	if region == "" {
		region = "us-east-1"
	}
	options := minio.Options{
		Creds:      credentialsOf(u.User),
		Secure:     tls == "on" || tls == "" && !isLocal(u.Hostname()),
		Region:     region, // else it would be asked for before each bucket is used
		Transport:  transport(),
		MaxRetries: retries,
	}
	client, err := minio.New(u.Host, &options)
	if err != nil {
		return nil, errors.New("the host is not right")
	}
	origin, err := originOf(u.Host, bucket, options)
	if err != nil {
		return nil, errors.New("the host or the bucket is not right")
	}
	return &S3{requests: requestsTo(client, bucket), bucket: bucket, prefix: prefix, host: u.Host, origin: origin}, nil
}

// originOf returns the origin of presigned addresses: some services have one for each bucket. It
// connects to nothing, as it signs with a key that is none.
func originOf(host, bucket string, options minio.Options) (string, error) {
	options.Creds = credentials.NewStaticV4("none", "none", "")
	client, err := minio.New(host, &options)
	if err != nil {
		return "", err
	}
	u, err := client.PresignedPutObject(context.Background(), bucket, "none", time.Minute)
	if err != nil {
		return "", err
	}
	return u.Scheme + "://" + u.Host, nil
}

// Origin returns the origin to which clients send their uploads.
func (s *S3) Origin() string { return s.origin }

func credentialsOf(user *url.Userinfo) *credentials.Credentials {
	if user != nil {
		secret, _ := user.Password()
		return credentials.NewStaticV4(user.Username(), secret, "")
	}
	return credentials.NewChainCredentials([]credentials.Provider{&credentials.EnvAWS{}, &credentials.IAM{Client: &http.Client{Timeout: dialTimeout}}})
}

func isLocal(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// transport returns a transport that gives up when S3 does not answer.
func transport() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: dialTimeout}).DialContext
	t.TLSHandshakeTimeout = dialTimeout
	t.ResponseHeaderTimeout = headerTimeout
	t.MaxIdleConnsPerHost = 16
	t.DisableCompression = true
	return t
}

// String names the bucket.
func (s *S3) String() string { return "the bucket " + s.bucket + " of " + s.host }

// s3Object is an object that is read. Its bytes are fetched from where it is read first.
type s3Object struct {
	io.ReadSeekCloser
	info   Info
	cancel context.CancelFunc
	idle   *time.Timer
}

// Info returns what is known of the object.
func (o *s3Object) Info() Info { return o.info }

// Read ends the object if S3 sends nothing for a while.
func (o *s3Object) Read(b []byte) (int, error) {
	o.idle.Reset(idleTimeout)
	n, err := o.ReadSeekCloser.Read(b)
	o.idle.Stop()
	return n, s3Error(err)
}

// Close ends the requests of the object.
func (o *s3Object) Close() error {
	defer o.cancel()
	o.idle.Stop()
	return o.ReadSeekCloser.Close()
}

// Open implements Storage.
func (s *S3) Open(ctx context.Context, key string) (Object, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	stat, err := s.requests.stat(ctx, s.prefix+key)
	if err != nil {
		return nil, s3Error(err)
	}
	ctx, cancel := context.WithCancel(ctx)
	// Another object under this key would have another ETag: it is not read in its place.
	object, err := s.requests.get(ctx, s.prefix+key, stat.ETag)
	if err != nil {
		cancel()
		return nil, s3Error(err)
	}
	idle := time.AfterFunc(idleTimeout, cancel)
	idle.Stop()
	return &s3Object{object, s.infoOf(key, stat), cancel, idle}, nil
}

func (s *S3) infoOf(key string, stat minio.ObjectInfo) Info {
	return Info{Key: key, Size: stat.Size, Version: stat.ETag, Changed: stat.LastModified}
}

// Put implements Storage. If size is -1, r has to fit into memory.
func (s *S3) Put(ctx context.Context, key string, r io.Reader, size int64) error {
	if err := checkKey(key); err != nil {
		return err
	}
	return s3Error(s.requests.put(ctx, s.prefix+key, r, size))
}

// PresignPut returns an address at which anybody can store an object of so many bytes under a key,
// by PUT, until it expires. S3 refuses another number of bytes.
func (s *S3) PresignPut(ctx context.Context, key string, size int64, expires time.Duration) (string, error) {
	if err := checkKey(key); err != nil {
		return "", err
	}
	header := http.Header{"Content-Length": {strconv.FormatInt(size, 10)}}
	u, err := s.requests.presign(ctx, s.prefix+key, expires, header)
	if err != nil {
		return "", s3Error(err)
	}
	return u.String(), nil
}

// Move implements Storage.
func (s *S3) Move(ctx context.Context, from Info, to string) error {
	if err := errors.Join(checkKey(from.Key), checkKey(to)); err != nil {
		return err
	}
	if _, err := s.requests.stat(ctx, s.prefix+to); err == nil {
		return s.Remove(ctx, from.Key)
	}
	if err := s.requests.copy(ctx, s.prefix+from.Key, from.Version, s.prefix+to); err != nil {
		return s3Error(err)
	}
	return s.Remove(ctx, from.Key)
}

// List implements Storage.
func (s *S3) List(ctx context.Context, prefix string, f func(Info) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the listing if f does
	for stat := range s.requests.list(ctx, s.prefix+prefix) {
		if stat.Err != nil {
			return s3Error(stat.Err)
		}
		if strings.HasSuffix(stat.Key, "/") {
			continue // a folder, as consoles make them
		}
		if err := f(s.infoOf(strings.TrimPrefix(stat.Key, s.prefix), stat)); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Remove implements Storage.
func (s *S3) Remove(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	err := s3Error(s.requests.remove(ctx, s.prefix+key))
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// Free implements Storage: S3 does not say.
func (s *S3) Free(context.Context) (bytes uint64, known bool, err error) { return 0, false, nil }

// s3Error returns an error of S3 as one of this package, if it is one.
func s3Error(err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	answer, ok := errors.AsType[minio.ErrorResponse](err)
	switch {
	case !ok:
		return err
	case answer.Code == "NoSuchKey":
		return ErrNotFound
	case answer.Code == "PreconditionFailed":
		return ErrChanged
	case answer.StatusCode == http.StatusInsufficientStorage, strings.Contains(answer.Code, "QuotaExceeded"), answer.Code == "XMinioStorageFull":
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}
