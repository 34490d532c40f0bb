// SPDX-License-Identifier: Apache-2.0

//go:build linux

package process

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminalRun is a runner whose standard streams are a terminal.
type terminalRun struct {
	*run
	keyboard *os.File // the other side of the terminal
}

// startInTerminal starts a runner as the leader of a session with a terminal, as a
// container runtime does for "tty: true".
func startInTerminal(t *testing.T, arguments ...string) *terminalRun {
	t.Helper()
	return startRoleInTerminal(t, "supervise", arguments...)
}

// startRoleInTerminal starts this program so in another role.
func startRoleInTerminal(t *testing.T, role string, arguments ...string) *terminalRun {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	t.Cleanup(func() { _ = keyboard.Close() })
	// The file is in the poller; Fd would take it out, and reads would outlast Close.
	raw, err := keyboard.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var number int
	err2 := raw.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err == nil {
			number, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	})
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	screen, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	r := &terminalRun{keyboard: keyboard}
	cmd := command(t, &syscall.SysProcAttr{Setsid: true, Setctty: true}, role, arguments...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = screen, screen, screen
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = screen.Close()
	r.run = &run{t: t, cmd: cmd, stdin: keyboard, stdout: bufio.NewReader(keyboard)}
	return r
}

func (r *terminalRun) expectLine(want string) {
	r.t.Helper()
	for {
		// A prompt or the echo of a key can be in front.
		if strings.HasSuffix(strings.TrimRight(r.line(), "\r"), want) {
			return
		}
	}
}

func (r *terminalRun) press(keys string) {
	r.t.Helper()
	if _, err := r.keyboard.WriteString(keys); err != nil {
		r.t.Fatal(err)
	}
}

func (r *terminalRun) exits(want int) {
	r.t.Helper()
	r.expectLine("terminal is back: true")
	r.ends(want)
}

// The command is in the foreground before its first instruction, each time.
func TestTerminal_foreground(t *testing.T) {
	t.Parallel()
	for range 10 {
		r := startInTerminal(t, asRole("foreground")...)
		r.expectLine("foreground: true leader: true")
		r.exits(0)
	}
}

// What the runner adds to have the terminal is not for the command.
func TestTerminal_inherits(t *testing.T) {
	t.Parallel()
	state := `trap '' QUIT; ls -x /proc/self/fd; echo $(grep -E 'Sig(Blk|Ign|Cgt)|^Umask' /proc/self/status) $(ulimit -n) $(cat /proc/$$/cmdline | tr '\0' ' ') end`
	screen := startInTerminal(t, "sh", "-c", "ulimit -Sn 300; "+state)
	got := strings.TrimSpace(screen.line()) + "\n" + strings.TrimSpace(screen.line())
	screen.exits(0)
	direct, err := exec.Command("sh", "-c", "ulimit -Sn 300; "+state).Output()
	if err != nil {
		t.Fatal(err)
	}
	fds, rest, _ := strings.Cut(strings.TrimSpace(string(direct)), "\n")
	if want := strings.TrimSpace(fds) + "\n" + rest; got != want {
		t.Errorf("in the terminal:\n%s\nwithout it:\n%s", got, want)
	}
}

// Without "noflsh", the kernel may drop what a command writes right after such a key.
func TestTerminal_keys(t *testing.T) {
	t.Parallel()
	r := startInTerminal(t, "sh", "-c", "stty -echo noflsh; echo ready; while read line; do echo got $line; done")
	r.expectLine("ready")
	r.press("\x1a") // Ctrl-Z: process 1 could not be stopped either
	r.press("one\n")
	r.expectLine("got one")
	r.press("\x03") // Ctrl-C
	r.exits(128 + int(unix.SIGINT))

	r = startInTerminal(t, "sh", "-c", "stty -echo noflsh; trap 'echo interrupted; exit 7' INT; echo ready; while :; do read line; done")
	r.expectLine("ready")
	r.press("\x03")
	r.expectLine("interrupted")
	r.exits(7)
}

func TestTerminal_jobControl(t *testing.T) {
	t.Parallel()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("needs bash")
	}
	r := startInTerminal(t, "env", "TERM=dumb", bash, "--norc", "--noediting", "-i")
	r.press("stty -echo noflsh; PS1=; echo rea''dy\n")
	r.expectLine("ready")
	r.press("sleep 1000\n")
	r.waitForForeground("sleep")
	r.press("\x1a")
	for !strings.Contains(r.line(), "Stopped") {
	}
	r.press("kill %1; fg; echo do''ne\n")
	r.expectLine("done")
	r.press("exit 8\n")
	r.exits(8)
}

// waitForForeground waits until a program is the leader of the foreground group.
func (r *terminalRun) waitForForeground(program string) {
	r.t.Helper()
	for {
		for _, pid := range descendants(r.cmd.Process.Pid) {
			stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			if err != nil {
				continue
			}
			fields := strings.Fields(string(stat)) // group is field 5, the terminal's field 8
			if fields[1] == "("+program+")" && fields[4] == fields[7] {
				return
			}
		}
		if r.t.Context().Err() != nil {
			r.t.FailNow()
		}
		time.Sleep(time.Millisecond)
	}
}

func TestTerminal_windowAndHangup(t *testing.T) {
	t.Parallel()
	r := startInTerminal(t, "sh", "-c", "trap 'stty size' WINCH; stty -echo; echo ready; while :; do read line; done")
	r.expectLine("ready")
	raw, err := r.keyboard.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	err2 := raw.Control(func(fd uintptr) {
		err = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: 33, Col: 77})
	})
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	r.expectLine("33 77")
	if err := r.keyboard.Close(); err != nil {
		t.Fatal(err)
	}
	_ = r.cmd.Wait()
	if code := r.cmd.ProcessState.ExitCode(); code != 128+int(unix.SIGHUP) {
		t.Errorf("after the terminal is closed: %v", r.cmd.ProcessState)
	}
}

func TestTerminal_commandError(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(file, []byte("echo x\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	r := startInTerminal(t, file)
	if line := r.line(); !strings.Contains(line, "it is no program for this platform") {
		t.Errorf("output %q", line)
	}
	r.ends(CodeCannotRun)
}

// A job in the background does not take the terminal.
func TestTerminal_background(t *testing.T) {
	t.Parallel()
	r := startInTerminal(t, "sh", "-mc", "env "+roleVariable+"=supervise "+program+" env "+roleVariable+"=foreground "+program+" & wait")
	r.expectLine("foreground: false leader: true")
	r.exits(0)
}
