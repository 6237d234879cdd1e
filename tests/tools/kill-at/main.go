//go:build linux

// Command kill-at runs a program and kills it, and all that it started, right before its N-th
// change to a file below a folder: the place where a loss of power would hurt. It then dies of the
// same signal; if the program ends before, it ends as that does.
//
//	kill-at FOLDER N PROGRAM [ARGUMENT…]
//
// A change is a system call that makes, writes, shortens, renames, links or removes a file or
// folder, whoever makes it: every thread and child is traced (Linux only), so that calls which go
// past libc are seen too.
package main

import (
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// syscallStop is how a stop at a system call differs from a signal (PTRACE_O_TRACESYSGOOD).
const syscallStop = syscall.SIGTRAP | 0x80

const options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_EXITKILL | unix.PTRACE_O_TRACECLONE |
	unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_TRACEEXEC

func main() {
	log.SetFlags(0)
	if len(os.Args) < 4 {
		log.Fatal("usage: kill-at FOLDER N PROGRAM [ARGUMENT…]")
	}
	folder := strings.TrimSuffix(os.Args[1], "/")
	at, err := strconv.Atoi(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	// Only the thread that starts a process may trace it.
	runtime.LockOSThread()
	command := exec.Command(os.Args[3], os.Args[4:]...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := command.Start(); err != nil {
		log.Fatal(err)
	}
	code, err := trace(command.Process.Pid, folder, at)
	if err != nil {
		log.Fatal("kill-at: ", err)
	}
	os.Exit(code)
}

// trace steps from system call to system call until the program ends, whose exit code it returns,
// or the N-th change comes, which it doesn't survive.
func trace(program int, folder string, at int) (int, error) {
	var status unix.WaitStatus
	if _, err := unix.Wait4(program, &status, 0, nil); err != nil {
		return 0, fmt.Errorf("waiting for the program to start: %w", err)
	}
	if err := unix.PtraceSetOptions(program, options); err != nil {
		return 0, fmt.Errorf("tracing: %w", err)
	}
	inside := map[int]bool{}
	changes := 0
	for thread := program; ; {
		// A thread that is gone already is told of by Wait4.
		if err := resume(thread, status); err != nil && err != unix.ESRCH {
			return 0, fmt.Errorf("going on: %w", err)
		}
		var err error
		if thread, err = unix.Wait4(-1, &status, unix.WALL, nil); err != nil {
			return 0, fmt.Errorf("waiting: %w", err)
		}
		switch {
		case status.Exited() && thread == program:
			return status.ExitStatus(), nil
		case status.Signaled() && thread == program:
			return 128 + int(status.Signal()), nil
		case !status.Stopped() || status.StopSignal() != syscallStop:
			continue
		}
		inside[thread] = !inside[thread]
		if !inside[thread] {
			continue
		}
		change, err := changeBelow(folder, thread)
		if err != nil {
			return 0, err
		}
		if change {
			changes++
		}
		if change && changes == at {
			inside[program] = true
			if err := end(inside); err != nil {
				return 0, err
			}
			return 0, unix.Kill(os.Getpid(), unix.SIGKILL)
		}
	}
}

// end kills everything that was traced, and returns when it is gone.
func end(traced map[int]bool) error {
	for thread := range traced {
		// It may have ended already.
		_ = unix.Kill(thread, unix.SIGKILL)
	}
	for {
		thread, err := unix.Wait4(-1, nil, unix.WALL, nil)
		if err == unix.ECHILD {
			return nil
		} else if err != nil {
			return fmt.Errorf("waiting for the end: %w", err)
		}
		_ = unix.Kill(thread, unix.SIGKILL)
	}
}

// resume lets a stopped thread run to its next system call, handing on the signal it stopped for.
func resume(thread int, status unix.WaitStatus) error {
	if !status.Stopped() {
		return nil
	}
	signal := status.StopSignal()
	// Stops of the tracer's own making; a thread that was just made stops with SIGSTOP.
	if signal == syscallStop || signal == unix.SIGTRAP || signal == unix.SIGSTOP {
		signal = 0
	}
	return unix.PtraceSyscall(thread, int(signal))
}

// changeBelow tells whether the system call that thread is about to make changes a file below
// folder.
func changeBelow(folder string, thread int) (bool, error) {
	var registers unix.PtraceRegs
	if err := unix.PtraceGetRegs(thread, &registers); err == unix.ESRCH {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("reading registers: %w", err)
	}
	number, arguments := callOf(&registers)
	call, known := calls[number]
	if !known || call.flags >= 0 && arguments[call.flags]&(unix.O_CREAT|unix.O_TRUNC) == 0 {
		return false, nil
	}
	below := func(path string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }
	if call.file >= 0 {
		return below(opened(thread, arguments[call.file])), nil
	}
	for _, place := range call.places {
		path, err := text(thread, arguments[place.path])
		if err != nil {
			return false, fmt.Errorf("reading a path: %w", err)
		}
		if !filepath.IsAbs(path) {
			start := int64(unix.AT_FDCWD)
			if place.folder >= 0 {
				start = int64(arguments[place.folder])
			}
			path = filepath.Join(opened(thread, uint64(start)), path)
		}
		if below(filepath.Clean(path)) {
			return true, nil
		}
	}
	return false, nil
}

// opened is the path of a file that the thread has open, or of its working folder; pipes and
// sockets have none that begins with a slash.
func opened(thread int, descriptor uint64) string {
	place := fmt.Sprintf("/proc/%d/cwd", thread)
	if int32(descriptor) != unix.AT_FDCWD {
		place = fmt.Sprintf("/proc/%d/fd/%d", thread, int32(descriptor))
	}
	path, _ := os.Readlink(place)
	return path
}

// text reads a C string of the thread's memory.
func text(thread int, address uint64) (string, error) {
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", thread))
	if err != nil {
		return "", err
	}
	defer memory.Close()
	bytes := make([]byte, unix.PathMax)
	// The page behind the string may not be there: what was read is enough.
	length, err := memory.ReadAt(bytes, int64(address))
	for at, b := range bytes[:length] {
		if b == 0 {
			return string(bytes[:at]), nil
		}
	}
	return "", fmt.Errorf("a path without an end: %w", err)
}
