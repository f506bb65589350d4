package pgtemp

import "syscall"

// roomInMemory is how much memory must be free to keep a cluster in it.
const roomInMemory = 4 << 30

// memoryDirs returns the directory whose files are kept in memory, if it has enough room. In a
// container it often has not. CREATE DATABASE creates 300 files, which is slow on many disks.
func memoryDirs() []string {
	const dir = "/dev/shm"
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil || fs.Bavail*uint64(fs.Bsize) < roomInMemory {
		return nil
	}
	return []string{dir}
}
