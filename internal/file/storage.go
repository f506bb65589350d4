package file

// Storage is where bytes are: a folder, or a bucket of S3. Open returns one.
type Storage interface {
}
