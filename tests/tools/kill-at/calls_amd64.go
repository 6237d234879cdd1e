//go:build linux

package main

import (
	"maps"

	"golang.org/x/sys/unix"
)

var calls = withEverywhere(map[uint64]call{
	unix.SYS_CREAT:    changes(place{none, 0}),
	unix.SYS_LINK:     changes(place{none, 1}),
	unix.SYS_MKDIR:    changes(place{none, 0}),
	unix.SYS_OPEN:     opens(none, 0, 1),
	unix.SYS_RENAME:   changes(place{none, 0}, place{none, 1}),
	unix.SYS_RENAMEAT: changes(place{0, 1}, place{2, 3}),
	unix.SYS_RMDIR:    changes(place{none, 0}),
	unix.SYS_SYMLINK:  changes(place{none, 1}),
	unix.SYS_UNLINK:   changes(place{none, 0}),
})

func withEverywhere(older map[uint64]call) map[uint64]call {
	maps.Copy(older, everywhere)
	return older
}

func callOf(registers *unix.PtraceRegs) (number uint64, arguments [6]uint64) {
	return registers.Orig_rax, [6]uint64{
		registers.Rdi, registers.Rsi, registers.Rdx, registers.R10, registers.R8, registers.R9,
	}
}
