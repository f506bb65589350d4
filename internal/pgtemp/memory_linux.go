package pgtemp

import "syscall"

// roomInMemory is the free memory that is required to keep a cluster in memory.
const roomInMemory = 4 << 30

// memoryDirs returns the directory whose files are kept in memory, or nil if it does not have
// enough room, as in many containers. Memory is faster: CREATE DATABASE creates 300 files, which is
// slow on many disks.
func memoryDirs() []string {
	const dir = "/dev/shm"
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil || fs.Bavail*uint64(fs.Bsize) < roomInMemory {
		return nil
	}
	return []string{dir}
}
