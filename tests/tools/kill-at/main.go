//go:build linux

// Command kill-at runs a program and kills it, and all that it started, right before its N-th
// change to a file below a folder: the place where a loss of power would hurt. It then dies of the
// same signal; if the program ends before, it ends as that does.
//
//	kill-at FOLDER N PROGRAM [ARGUMENT…]
//	kill-at --full FOLDER N PROGRAM [ARGUMENT…]
//
// With --full it lets the program live, on a disk that is full from the N-th change on that takes
// space: each of these fails with ENOSPC and changes nothing. It then ends as the program does.
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

// wish is what is to happen to the program.
type wish struct {
	folder string
	at     int
	// full means that the disk is full from then on, instead of the power gone.
	full bool
}

func main() {
	log.SetFlags(0)
	arguments := os.Args[1:]
	full := len(arguments) > 0 && arguments[0] == "--full"
	if full {
		arguments = arguments[1:]
	}
	if len(arguments) < 3 {
		log.Fatal("usage: kill-at [--full] FOLDER N PROGRAM [ARGUMENT…]")
	}
	at, err := strconv.Atoi(arguments[1])
	if err != nil {
		log.Fatal(err)
	}
	wish := wish{folder: strings.TrimSuffix(arguments[0], "/"), at: at, full: full}
	// Only the thread that starts a process may trace it.
	runtime.LockOSThread()
	command := exec.Command(arguments[2], arguments[3:]...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := command.Start(); err != nil {
		log.Fatal(err)
	}
	code, err := trace(command.Process.Pid, wish)
	if err != nil {
		log.Fatal("kill-at: ", err)
	}
	os.Exit(code)
}

// trace steps from system call to system call until the program ends, whose exit code it returns,
// or the N-th change comes, which it doesn't survive unless only the disk is to be full.
func trace(program int, wish wish) (int, error) {
	var status unix.WaitStatus
	if _, err := unix.Wait4(program, &status, 0, nil); err != nil {
		return 0, fmt.Errorf("waiting for the program to start: %w", err)
	}
	if err := unix.PtraceSetOptions(program, options); err != nil {
		return 0, fmt.Errorf("tracing: %w", err)
	}
	inside := map[int]bool{}
	refused := map[int]bool{}
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
		if !inside[thread] && !refused[thread] {
			continue
		}
		var registers unix.PtraceRegs
		if err := unix.PtraceGetRegs(thread, &registers); err == unix.ESRCH {
			continue
		} else if err != nil {
			return 0, fmt.Errorf("reading registers: %w", err)
		}
		if refused[thread] {
			delete(refused, thread)
			if err := answer(thread, &registers, unix.ENOSPC); err != nil && err != unix.ESRCH {
				return 0, fmt.Errorf("failing a call: %w", err)
			}
		}
		if !inside[thread] {
			continue
		}
		change, err := wish.concerns(thread, &registers)
		if err != nil && gone(thread) {
			continue
		} else if err != nil {
			return 0, err
		}
		if change {
			changes++
		}
		switch {
		case !change || changes < wish.at:
		case wish.full:
			refused[thread] = true
			if err := refuse(thread, &registers); err != nil && err != unix.ESRCH {
				return 0, fmt.Errorf("keeping a call from its work: %w", err)
			}
		default:
			inside[program] = true
			if err := end(inside); err != nil {
				return 0, err
			}
			return 0, unix.Kill(os.Getpid(), unix.SIGKILL)
		}
	}
}

// gone tells whether a thread that stood still died since: then it makes no call any more, and
// whatever failed to be read of it is no error.
func gone(thread int) bool {
	var registers unix.PtraceRegs
	return unix.PtraceGetRegs(thread, &registers) == unix.ESRCH
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

// concerns tells whether the system call that thread is about to make is one of those that are
// counted.
func (wish wish) concerns(thread int, registers *unix.PtraceRegs) (bool, error) {
	number, arguments := callOf(registers)
	call, known := calls[number]
	if !known || wish.full && !call.fills {
		return false, nil
	}
	if call.flags >= 0 && arguments[call.flags]&(unix.O_CREAT|unix.O_TRUNC) == 0 {
		return false, nil
	}
	if call.file >= 0 {
		return wish.below(opened(thread, arguments[call.file])), nil
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
		path = filepath.Clean(path)
		if wish.full && exists(path) {
			// What is there takes no more space, or is in the way.
			continue
		}
		if wish.below(path) {
			return true, nil
		}
	}
	return false, nil
}

func (wish wish) below(path string) bool {
	return path == wish.folder || strings.HasPrefix(path, wish.folder+"/")
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
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
