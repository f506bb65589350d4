package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/google/uuid"
)

// Reserve is how many bytes of a disk stay free for others, such as the database beside the folder.
const Reserve = 256 << 20

// Folder keeps bytes in a folder of this machine. Only the user that runs the program can read it.
// Links that lead out of it are not followed. What is stored is complete and on the disk before it
// can be read under its key.
type Folder struct {
	Reserve uint64 // how many bytes of the disk stay free for others
	path    string
	mu      sync.Mutex
	root    *os.Root // nil until it is used
}

// NewFolder returns the storage in a folder. It is made when something is stored first.
func NewFolder(path string) *Folder { return &Folder{Reserve: Reserve, path: path} }

// Exists reports whether the folder is there.
func (f *Folder) Exists() bool {
	info, err := os.Stat(f.path)
	return err == nil && info.IsDir()
}

// String names the folder.
func (f *Folder) String() string { return "the folder " + f.path }

// open returns the folder, and makes it if it is not there. A folder that was put into the place of
// the one that was used before counts, as after a restore.
func (f *Folder) open() (*os.Root, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.root != nil {
		before, err := f.root.Stat(".")
		now, gone := os.Stat(f.path)
		if err == nil && gone == nil && os.SameFile(before, now) {
			return f.root, nil
		}
	}
	if err := os.MkdirAll(f.path, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(f.path)
	if err != nil {
		return nil, err
	}
	f.root = root
	return root, nil
}

// folderObject is a file that is read.
type folderObject struct {
	*os.File
	info Info
}

// Info returns what is known of the file.
func (o *folderObject) Info() Info { return o.info }

// Open implements Storage.
func (f *Folder) Open(_ context.Context, key string) (Object, error) {
	file, info, err := f.file(key, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	return &folderObject{file, info}, nil
}

// file opens a file of the folder, which has to be a plain one.
func (f *Folder) file(key string, flag int) (*os.File, Info, error) {
	if err := checkKey(key); err != nil {
		return nil, Info{}, err
	}
	root, err := f.open()
	if err != nil {
		return nil, Info{}, err
	}
	// A link, a device or a named pipe is not opened: the last one would wait.
	if found, err := root.Lstat(key); err != nil || !found.Mode().IsRegular() {
		if err == nil || errors.Is(err, fs.ErrNotExist) || isNoFolder(err) {
			err = ErrNotFound
		}
		return nil, Info{}, err
	}
	file, err := root.OpenFile(key, flag, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, Info{}, ErrNotFound
	}
	if err != nil {
		return nil, Info{}, err
	}
	stat, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, Info{}, err
	}
	return file, infoOf(key, stat), nil
}

func isNoFolder(err error) bool { return errors.Is(err, syscall.ENOTDIR) }

func infoOf(key string, stat fs.FileInfo) Info {
	return Info{Key: key, Size: stat.Size(), Changed: stat.ModTime(),
		Version: strconv.FormatInt(stat.Size(), 36) + "-" + strconv.FormatInt(stat.ModTime().UnixNano(), 36)}
}

// Put implements Storage. It stores the bytes in a file of another name first.
func (f *Folder) Put(ctx context.Context, key string, r io.Reader, size int64) (err error) {
	if err := checkKey(key); err != nil {
		return err
	}
	if err := f.room(size); err != nil {
		return err
	}
	root, err := f.open()
	if err != nil {
		return err
	}
	name := Unfinished + uuid.NewString()
	if err := mkdirs(root, name); err != nil {
		return full(err)
	}
	file, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return full(err)
	}
	defer func() {
		if err != nil {
			_ = root.Remove(name)
		}
	}()
	n, err := io.Copy(file, withContext(ctx, r))
	if err == nil && size >= 0 && n != size {
		err = io.ErrUnexpectedEOF
	}
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return full(err)
	}
	return f.rename(root, name, key)
}

// Append adds bytes to what is stored under a key, from an offset on. What was stored behind the
// offset is gone. It returns how many bytes are stored in addition, also with an error: half of an
// upload stays. Readers may see bytes that come later.
func (f *Folder) Append(ctx context.Context, key string, offset int64, r io.Reader) (n int64, err error) {
	if err := checkKey(key); err != nil {
		return 0, err
	}
	root, err := f.open()
	if err != nil {
		return 0, err
	}
	if err := mkdirs(root, key); err != nil {
		return 0, full(err)
	}
	file, err := root.OpenFile(key, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return 0, full(err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := file.Truncate(offset); err != nil {
		return 0, full(err)
	}
	if _, err := file.Seek(offset, io.SeekStart); err != nil {
		return 0, err
	}
	n, err = f.copy(ctx, file, r)
	return n, full(errors.Join(err, file.Sync()))
}

// roomEvery is after how many bytes of an upload the free space is looked at again.
const roomEvery = 16 << 20

// copy copies bytes while there is room for them.
func (f *Folder) copy(ctx context.Context, file *os.File, r io.Reader) (n int64, err error) {
	for {
		if err := f.room(roomEvery); err != nil {
			return n, err
		}
		some, err := io.CopyN(file, withContext(ctx, r), roomEvery)
		n += some
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// Move implements Storage.
func (f *Folder) Move(_ context.Context, from Info, to string) error {
	if err := errors.Join(checkKey(from.Key), checkKey(to)); err != nil {
		return err
	}
	file, now, err := f.file(from.Key, os.O_RDWR)
	if err != nil {
		return err
	}
	err = errors.Join(file.Sync(), file.Close())
	if err != nil {
		return full(err)
	}
	if now.Version != from.Version {
		return ErrChanged
	}
	root, err := f.open()
	if err != nil {
		return err
	}
	if _, err := root.Lstat(to); err == nil {
		return f.Remove(context.Background(), from.Key)
	}
	return f.rename(root, from.Key, to)
}

// rename gives a file its final name, and has the disk know it.
func (f *Folder) rename(root *os.Root, from, to string) error {
	if err := mkdirs(root, to); err != nil {
		return full(err)
	}
	if err := root.Rename(from, to); err != nil {
		return full(err)
	}
	folder, err := root.Open(path.Dir(to))
	if err != nil {
		return err
	}
	defer folder.Close()
	if err := folder.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, syscall.EINVAL) {
		return full(err)
	}
	return nil
}

// mkdirs makes the folders that a file is in.
func mkdirs(root *os.Root, key string) error { return root.MkdirAll(path.Dir(key), 0o700) }

// List implements Storage.
func (f *Folder) List(ctx context.Context, prefix string, do func(Info) error) error {
	root, err := f.open()
	if err != nil {
		return err
	}
	err = fs.WalkDir(root.FS(), strings.TrimSuffix(prefix, "/"), func(key string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it was removed meanwhile
		}
		if err = errors.Join(err, ctx.Err()); err != nil || !entry.Type().IsRegular() {
			return err
		}
		stat, err := entry.Info()
		if err != nil {
			return nil
		}
		return do(infoOf(key, stat))
	})
	return err
}

// Remove implements Storage. Folders that are empty then go as well.
func (f *Folder) Remove(_ context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	root, err := f.open()
	if err != nil {
		return err
	}
	if err := root.Remove(key); err != nil && !errors.Is(err, fs.ErrNotExist) && !isNoFolder(err) {
		return err
	}
	for dir := path.Dir(key); strings.Contains(dir, "/"); dir = path.Dir(dir) {
		if root.Remove(dir) != nil {
			break // others are in it, or it is gone
		}
	}
	return nil
}

// Free implements Storage.
func (f *Folder) Free(context.Context) (bytes uint64, known bool, err error) {
	free, err := f.freeBytes()
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return 0, false, nil
	case err != nil:
		return 0, false, err
	}
	return free - min(free, f.Reserve), true, nil
}

// freeBytes returns how many bytes are free on the disk of the folder, or of the nearest one above
// it that is there.
func (f *Folder) freeBytes() (uint64, error) {
	at, err := filepath.Abs(f.path)
	if err != nil {
		return 0, err
	}
	for {
		free, err := freeBytes(at)
		if !errors.Is(err, fs.ErrNotExist) || filepath.Dir(at) == at {
			return free, err
		}
		at = filepath.Dir(at)
	}
}

// room returns ErrFull if there is no room for so many bytes.
func (f *Folder) room(size int64) error {
	free, err := f.freeBytes()
	if err != nil {
		return nil // writing will tell
	}
	if free < f.Reserve || free-f.Reserve < uint64(max(0, size)) {
		return fmt.Errorf("%w: %d bytes are free, of which %d are kept for others", ErrFull, free, f.Reserve)
	}
	return nil
}

// full returns an error of the disk, as ErrFull if there is no room on it.
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}

// contextReader is a reader that fails once its context ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func withContext(ctx context.Context, r io.Reader) io.Reader { return &contextReader{ctx, r} }

func (c *contextReader) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(b)
}
