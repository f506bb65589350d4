package pgtemp

import "syscall"

// roomInMemory is what must be free in memory before a cluster is put there.
const roomInMemory = 4 << 30

// memoryDirs returns the directory whose files are kept in memory, if it has
// the room; a container's often has not. To create a database is to create 300
// files, which a disk's file system can make the slowest part of a test.
func memoryDirs() []string {
	const dir = "/dev/shm"
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil || fs.Bavail*uint64(fs.Bsize) < roomInMemory {
		return nil
	}
	return []string{dir}
}
