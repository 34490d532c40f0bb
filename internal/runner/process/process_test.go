// SPDX-License-Identifier: Apache-2.0

//go:build linux

package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The test program is also the runner and some of the commands that it runs: with
// roleVariable set, it is what that names.
const roleVariable = "PEERJOB_TEST_ROLE"

var roles = map[string]func(arguments []string){
	"supervise":     supervise, // run a command
	"restricted":    superviseAsUser,
	"supervise-ask": superviseAsk,  // say "waiting", and run a command after stdin's end
	"attempts":      runAttempts,   // run a command several times, and stop it at each line of stdin
	"signals":       printSignals,  // say "ready", and print each signal
	"orphan":        makeOrphan,    // have a process reaped by process 1
	"storm":         makeOrphans,   // leave many processes that end at once, exit with 42
	"runtime":       useRuntime,    // need the Go runtime's own signals
	"foreground":    printTerminal, // say whether this is the foreground group
}

// program is a copy of this program that every user can execute.
var program string

func TestMain(m *testing.M) {
	Main()
	if name, found := os.LookupEnv(roleVariable); found {
		if role := roles[name]; role != nil {
			_ = os.Unsetenv(roleVariable)
			role(os.Args[1:])
			os.Exit(0)
		}
	}
	heedSignals()
	os.Exit(runTests(m))
}

// heedSignals gives every signal that is ignored its default action, for the programs
// that the tests start: make starts go with the signals 32 and 33 ignored.
func heedSignals() {
	for number := unix.Signal(1); number <= lastSignal; number++ {
		var now signalAction
		if sigaction(number, nil, &now) == nil && now.handler == ignored {
			check(sigaction(number, &signalAction{}, nil))
		}
	}
}

func runTests(m *testing.M) int {
	folder, err := os.MkdirTemp("", "process")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	program = filepath.Join(folder, "program")
	content, err := os.ReadFile("/proc/self/exe")
	if err == nil {
		err = errors.Join(os.Chmod(folder, 0o755), os.WriteFile(program, content, 0o755))
	}
	if err != nil {
		panic(err)
	}
	return m.Run()
}

func supervise(command []string)       { superviseAs(command, false) }
func superviseAsUser(command []string) { superviseAs(command, true) }

// superviseAs is what the runner does, without a group.
func superviseAs(command []string, restricted bool) {
	if os.Getpid() == 1 {
		mountProc(restricted)
	}
	s, err := New(nil)
	check(err)
	os.Exit(superviseOne(s, command))
}

func superviseOne(s *Supervisor, command []string) int {
	err := s.Start(command, os.Environ())
	var failed *CommandError
	var stopped *StoppedError
	switch {
	case errors.As(err, &failed):
		fmt.Fprintln(os.Stderr, err)
		return failed.Code
	case errors.As(err, &stopped):
		fmt.Fprintln(os.Stderr, err)
		return 128 + int(stopped.Signal)
	}
	check(err)
	status, killed := s.Wait()
	if killed > 0 {
		fmt.Fprintf(os.Stderr, "killed %d, children left: %v\n", killed, hasChildren())
	}
	if s.terminal != noTerminal {
		group, _ := unix.IoctlGetInt(s.terminal, unix.TIOCGPGRP)
		fmt.Fprintf(os.Stderr, "terminal is back: %v\n", group == unix.Getpgrp())
	}
	return status.Code()
}

// runAttempts runs a command so many times. Its arguments are the number, the grace to
// stop the command, and the command. A line of stdin stops it.
func runAttempts(arguments []string) {
	if os.Getpid() == 1 {
		mountProc(false)
	}
	count, err := strconv.Atoi(arguments[0])
	check(err)
	grace, err := time.ParseDuration(arguments[1])
	check(err)
	s, err := New(nil)
	check(err)
	go func() {
		for scanner := bufio.NewScanner(os.Stdin); scanner.Scan(); {
			s.Stop(SIGTERM, grace)
		}
	}()
	for attempt := range count {
		check(s.Start(arguments[2:], append(os.Environ(), fmt.Sprintf("ATTEMPT=%d", attempt+1))))
		status, killed := s.Wait()
		_, gone := s.Kill()
		fmt.Printf("%s; killed %d, gone %t\n", status, killed, gone)
	}
	os.Exit(0)
}

func superviseAsk(command []string) {
	s, err := New(nil)
	check(err)
	fmt.Println("waiting")
	asked := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(asked)
	}()
	select {
	case <-asked:
	case <-s.Stopped().Done():
	}
	os.Exit(superviseOne(s, command))
}

// mountProc mounts the /proc of a process namespace of its own, and becomes the user of
// a Pod at the level "restricted".
func mountProc(restricted bool) {
	check(unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""))
	check(unix.Mount("proc", "/proc", "proc", 0, ""))
	if restricted {
		check(unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		check(syscall.Setgroups(nil))
		check(syscall.Setgid(65534))
		check(syscall.Setuid(65534))
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "test program:", err)
		os.Exit(99)
	}
}

func printSignals([]string) {
	signals, err := catchSignals()
	check(err)
	fmt.Println("ready")
	for {
		for _, info := range signals.next() {
			fmt.Println(info.signal(), info.value)
		}
	}
}

func makeOrphan([]string) {
	read, write, err := os.Pipe()
	check(err)
	shell := exec.Command("sh", "-c", "cat <&3 >/dev/null 2>&1 & echo $!")
	shell.ExtraFiles = []*os.File{read}
	out, err := shell.Output()
	check(err)
	pid := strings.TrimSpace(string(out))
	check(read.Close())
	for parent := ""; parent != strconv.Itoa(os.Getppid()); {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		check(err)
		parent = strings.Fields(string(stat))[3]
	}
	fmt.Println("adopted")
	check(write.Close())
	for {
		if _, err := os.Stat("/proc/" + pid); err != nil {
			fmt.Println("reaped")
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func makeOrphans([]string) {
	for range 10 {
		check(exec.Command("sh", "-c", "true & true & true & true & true & true & true & true &").Run())
	}
	os.Exit(42)
}

var nowhere *signalInfo

// useRuntime has the Go runtime handle a fault, stop a loop and hear of a broken pipe.
func useRuntime([]string) {
	_, err := New(nil)
	check(err)
	func() {
		defer func() { fmt.Println("recovered:", recover()) }()
		fmt.Println(nowhere.pid)
	}()
	go func() {
		for i := 0; ; i++ {
			_ = i
		}
	}()
	runtime.GC() // stops the loop
	read, write, err := os.Pipe()
	check(err)
	check(read.Close())
	_, err = write.Write([]byte("x"))
	fmt.Println(errors.Is(err, unix.EPIPE))
}

func printTerminal([]string) {
	group, err := unix.IoctlGetInt(0, unix.TIOCGPGRP)
	check(err)
	fmt.Println("foreground:", group == unix.Getpgrp(), "leader:", os.Getpid() == unix.Getpgrp())
}

// run is a running process with its streams.
type run struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
	stderr strings.Builder
}

// start starts this test program in a role, or with role "" another program.
func start(t *testing.T, attr *syscall.SysProcAttr, role string, arguments ...string) *run {
	t.Helper()
	cmd := command(t, attr, role, arguments...)
	r := &run{t: t, cmd: cmd}
	cmd.Stderr = &r.stderr
	var err error
	if r.stdin, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	r.stdout = bufio.NewReader(stdout)
	if err := cmd.Start(); err != nil {
		if errors.Is(err, unix.EPERM) && attr != nil && attr.Cloneflags != 0 {
			t.Skipf("no namespaces here: %v", err)
		}
		t.Fatal(err)
	}
	return r
}

func command(t *testing.T, attr *syscall.SysProcAttr, role string, arguments ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	name := program
	if role == "" {
		name, arguments = arguments[0], arguments[1:]
	}
	cmd := exec.CommandContext(ctx, name, arguments...)
	cmd.SysProcAttr = attr
	// A command that outlives the runner must not hold the test.
	cmd.WaitDelay = 5 * time.Second
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	// No process outlives its test, also if that fails.
	t.Cleanup(func() {
		if cmd.Process == nil || cmd.ProcessState != nil {
			return
		}
		for _, pid := range append(descendants(cmd.Process.Pid), cmd.Process.Pid) {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
	})
	return cmd
}

// asRole returns the arguments that have the runner run this program in a role.
func asRole(role string) []string {
	return []string{"env", roleVariable + "=" + role, program}
}

func (r *run) line() string {
	r.t.Helper()
	line, err := r.stdout.ReadString('\n')
	if err != nil {
		r.t.Fatalf("output ends: %q, %v, stderr:\n%s", line, err, r.stderr.String())
	}
	return strings.TrimSuffix(line, "\n")
}

func (r *run) expect(want string) {
	r.t.Helper()
	if got := r.line(); got != want {
		r.t.Fatalf("output %q, want %q", got, want)
	}
}

func (r *run) signal(s unix.Signal) {
	r.t.Helper()
	if err := unix.Kill(r.cmd.Process.Pid, s); err != nil {
		r.t.Fatal(err)
	}
}

// code waits for the end and returns the exit code, or -n if signal n killed the runner.
func (r *run) code() int {
	r.t.Helper()
	_, _ = io.Copy(io.Discard, r.stdout)
	err := r.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		r.t.Fatal(err)
	}
	status := r.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return -int(status.Signal())
	}
	return status.ExitStatus()
}

func (r *run) ends(want int) {
	r.t.Helper()
	if got := r.code(); got != want {
		r.t.Fatalf("exit code %d, want %d; stderr:\n%s", got, want, r.stderr.String())
	}
}

// inEachMode runs a test with the runner as process 1, as such with a user that
// has no rights, and as a subreaper. The test starts the role that it is given.
func inEachMode(t *testing.T, test func(t *testing.T, attr *syscall.SysProcAttr, role string)) {
	namespaces := &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS}
	if os.Getuid() != 0 {
		namespaces.Cloneflags |= unix.CLONE_NEWUSER
		namespaces.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		namespaces.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	t.Parallel()
	t.Run("process 1", func(t *testing.T) {
		t.Parallel()
		test(t, namespaces, "supervise")
	})
	t.Run("process 1, restricted", func(t *testing.T) {
		t.Parallel()
		if os.Getuid() != 0 {
			t.Skip("needs root, to become another user")
		}
		test(t, namespaces, "restricted")
	})
	t.Run("subreaper", func(t *testing.T) {
		t.Parallel()
		test(t, nil, "supervise")
	})
}
