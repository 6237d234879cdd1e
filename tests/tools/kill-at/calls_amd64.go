//go:build linux

package main

import (
	"maps"

	"golang.org/x/sys/unix"
)

var calls = withEverywhere(map[uint64]call{
	unix.SYS_CREAT:    makes(place{none, 0}),
	unix.SYS_LINK:     makes(place{none, 1}),
	unix.SYS_MKDIR:    makes(place{none, 0}),
	unix.SYS_OPEN:     opens(none, 0, 1),
	unix.SYS_RENAME:   changes(place{none, 0}, place{none, 1}),
	unix.SYS_RENAMEAT: changes(place{0, 1}, place{2, 3}),
	unix.SYS_RMDIR:    changes(place{none, 0}),
	unix.SYS_SYMLINK:  makes(place{none, 1}),
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

// refuse lets the system call that thread is about to make do nothing.
func refuse(thread int, registers *unix.PtraceRegs) error {
	registers.Orig_rax = ^uint64(0)
	return unix.PtraceSetRegs(thread, registers)
}

// answer makes the system call that thread has made fail with errno.
func answer(thread int, registers *unix.PtraceRegs, errno unix.Errno) error {
	registers.Rax = -uint64(errno)
	return unix.PtraceSetRegs(thread, registers)
}
