//go:build linux

package main

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

var calls = everywhere

func callOf(registers *unix.PtraceRegs) (number uint64, arguments [6]uint64) {
	return registers.Regs[8], [6]uint64(registers.Regs[:6])
}

// systemCall is where arm64 keeps the number of a system call (NT_ARM_SYSTEM_CALL in linux/elf.h).
const systemCall = 0x404

// refuse lets the system call that thread is about to make do nothing.
func refuse(thread int, _ *unix.PtraceRegs) error {
	number := int32(-1)
	vector := unix.Iovec{Base: (*byte)(unsafe.Pointer(&number)), Len: 4}
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_SETREGSET, uintptr(thread),
		systemCall, uintptr(unsafe.Pointer(&vector)), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// answer makes the system call that thread has made fail with errno.
func answer(thread int, registers *unix.PtraceRegs, errno unix.Errno) error {
	registers.Regs[0] = -uint64(errno)
	return unix.PtraceSetRegs(thread, registers)
}
