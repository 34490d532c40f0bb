// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

// stage is the variable that tells the program how far it is: outside (unset),
// the first process of the namespaces, or the program proper inside.
const (
	stage  = "PEERJOB_E2E_SANDBOX"
	first  = "first"
	inside = "inside"
)

// patience is how long the program inside may take to clean up after it was
// interrupted.
const patience = 20 * time.Second

// namespaces are those that the program gets for itself.
const namespaces = syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC

// signals are those that end the program.
var signals = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}

// Enter must be the first that main does. It says whether the program runs inside
// a sandbox. The first process of the namespaces does not return before the
// program proper has ended; then it is over, and main exits with the code.
func Enter() (isInside, over bool, code int) {
	switch os.Getenv(stage) {
	case inside:
		return true, false, 0
	case first:
		code, err := beFirst()
		if err != nil {
			fmt.Fprintln(os.Stderr, "sandbox:", err)
		}
		return false, true, code
	}
	return false, false, 0
}

// Possible returns an error that wraps ErrImpossible with the reason, when
// there can be no sandbox.
func Possible() error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("%w: only root can make namespaces that hold a node", ErrImpossible)
	}
	try := exec.Command("true")
	try.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces}
	if err := try.Run(); err != nil {
		return fmt.Errorf("%w: the system makes no namespaces: %v", ErrImpossible, err)
	}
	return nil
}

// Run runs this program again, with the same arguments, in a sandbox, and
// returns its exit code. The function gets the command with which a person
// enters the sandbox.
func Run(ctx context.Context, entered func(command string)) (int, error) {
	// The kernel ends the child when the thread that started it ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, "/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), stage+"="+first)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = patience
	if err := cmd.Start(); err != nil {
		return 1, err
	}
	entered(fmt.Sprintf("nsenter --target %d --net --mount --pid", cmd.Process.Pid))
	err := cmd.Wait()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() > 0 {
		return exit.ExitCode(), nil
	}
	return cmd.ProcessState.ExitCode(), err
}

// beFirst prepares the namespaces, runs the program proper, and waits for every
// process that loses its parent, as the first process has to.
func beFirst() (int, error) {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, signals...)
	if err := prepare(); err != nil {
		return 1, err
	}
	if err := os.Setenv(stage, inside); err != nil {
		return 1, err
	}
	program, err := os.StartProcess("/proc/self/exe", os.Args, &os.ProcAttr{Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}})
	if err != nil {
		return 1, err
	}
	go func() {
		for s := range ended {
			_ = program.Signal(s)
		}
	}()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return 1, fmt.Errorf("wait: %w", err)
		case pid == program.Pid && status.Exited():
			return status.ExitStatus(), nil
		case pid == program.Pid && status.Signaled():
			return 128 + int(status.Signal()), nil
		}
	}
}

// prepare mounts what the namespaces need, seen by no one outside.
func prepare() error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("mount namespace: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("/proc: %w", err)
	}
	for _, dir := range []string{"/run", "/var/lib", "/var/log"} {
		if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, "mode=755"); err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
	}
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		return fmt.Errorf("loopback: %w: %s", err, out)
	}
	return nil
}
