//go:build linux

package main

import "golang.org/x/sys/unix"

// call says how a system call changes a file; numbers are those of its arguments.
type call struct {
	// file is the open file that is written, or none.
	file int
	// places are the paths that are changed.
	places []place
	// flags are those of an opening, which changes something if it may make or shorten the file.
	flags int
	// fills tells that it takes space of the disk, as long as it makes or writes something.
	fills bool
}

// place is a path, and the open folder it starts from or none.
type place struct{ folder, path int }

const none = -1

func writes(file int) call         { return call{file: file, flags: none, fills: true} }
func shortens(file int) call       { return call{file: file, flags: none} }
func changes(places ...place) call { return call{file: none, places: places, flags: none} }
func makes(places ...place) call {
	return call{file: none, places: places, flags: none, fills: true}
}
func opens(folder, path, flags int) call {
	return call{file: none, places: []place{{folder, path}}, flags: flags, fills: true}
}

// everywhere are the calls that every architecture has.
var everywhere = map[uint64]call{
	unix.SYS_COPY_FILE_RANGE: writes(2),
	unix.SYS_FALLOCATE:       writes(0),
	unix.SYS_FTRUNCATE:       shortens(0),
	unix.SYS_PWRITE64:        writes(0),
	unix.SYS_PWRITEV:         writes(0),
	unix.SYS_PWRITEV2:        writes(0),
	unix.SYS_SENDFILE:        writes(0),
	unix.SYS_WRITE:           writes(0),
	unix.SYS_WRITEV:          writes(0),

	unix.SYS_LINKAT:    makes(place{2, 3}),
	unix.SYS_MKDIRAT:   makes(place{0, 1}),
	unix.SYS_RENAMEAT2: changes(place{0, 1}, place{2, 3}),
	unix.SYS_SYMLINKAT: makes(place{1, 2}),
	unix.SYS_TRUNCATE:  changes(place{none, 0}),
	unix.SYS_UNLINKAT:  changes(place{0, 1}),

	unix.SYS_OPENAT: opens(0, 1, 2),
}
