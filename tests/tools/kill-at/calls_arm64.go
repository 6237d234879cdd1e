//go:build linux

package main

import "golang.org/x/sys/unix"

var calls = everywhere

func callOf(registers *unix.PtraceRegs) (number uint64, arguments [6]uint64) {
	return registers.Regs[8], [6]uint64(registers.Regs[:6])
}
