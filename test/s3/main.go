// Command s3 is a server of S3 for tests, on a free port of this machine. It checks signatures, and
// keeps everything in memory. It prints the address of a bucket, as FILES_URL takes it, and ends
// with its standard input.
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/itsHenry35/gofakes3"
	"github.com/itsHenry35/gofakes3/s3mem"
)

// backend lists all objects if a request says that nothing delimits their names, as S3 does.
type backend struct{ *s3mem.Backend }

func (b backend) ListBucket(ctx context.Context, name string, prefix *gofakes3.Prefix, page gofakes3.ListBucketPage) (*gofakes3.ObjectList, error) {
	if prefix != nil && prefix.Delimiter == "" {
		prefix.HasDelimiter = false
	}
	return b.Backend.ListBucket(ctx, name, prefix, page)
}

func main() {
	const bucket = "forge"
	memory := backend{s3mem.New()}
	if err := memory.CreateBucket(context.Background(), bucket); err != nil {
		log.Fatal(err)
	}
	key, secret := rand.Text(), rand.Text()
	server := gofakes3.New(memory, gofakes3.WithV4Auth(map[string]string{key: secret}))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	fmt.Printf("s3://%s:%s@%s/%s\n", key, secret, l.Addr(), bucket)
	log.Fatal(http.Serve(l, server.Server()))
}
