// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"debug/buildinfo"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// built is the program, where every user can execute it.
var built string

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	folder, err := os.MkdirTemp("", program)
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	built = filepath.Join(folder, program)
	output, err := exec.Command("go", "build", "-ldflags", "-s -w -X main.version=v1.2.3", "-o", built, ".").CombinedOutput()
	if err = errors.Join(err, os.Chmod(folder, 0o755)); err != nil {
		panic(fmt.Sprintf("%v\n%s", err, output))
	}
	return m.Run()
}

// peer returns a command of the program, with the variables of a peer that is
// alone in its network. Its termination message goes to the file it returns.
func peer(t *testing.T, index int, flags string, command ...string) (cmd *exec.Cmd, message string) {
	t.Helper()
	message = filepath.Join(t.TempDir(), "message")
	if err := os.WriteFile(message, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	arguments := append(append([]string{"run", "--termination-message=" + message}, strings.Fields(flags)...), "--")
	cmd = exec.CommandContext(t.Context(), built, append(arguments, command...)...)
	cmd.Env = append(os.Environ(),
		"PEERJOB_NAME=train", "PEERJOB_SERVICE=svc.invalid", "PEERJOB_SIZE=2", "PEERJOB_UID=one", fmt.Sprintf("JOB_COMPLETION_INDEX=%d", index))
	return cmd, message
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return fmt.Sprintf("--port=%d", listener.Addr().(*net.TCPAddr).Port)
}

// ownNamespaces gives a process mounts and a network of its own, and has all its
// descendants end with it, and it with the test.
func ownNamespaces() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID,
		Pdeathsig:  syscall.SIGKILL,
	}
	if os.Getuid() != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	return attr
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestUsage(t *testing.T) {
	t.Parallel()
	tests := []struct {
		arguments string
		code      int
		stdout    string // a part
		stderr    string
	}{
		{"", 2, "", usage},
		{"help", 0, usage, ""},
		{"--help", 0, usage, ""},
		{"version", 0, "peerjob-runner v1.2.3 go", ""},
		{"bogus", 2, "", `peerjob-runner: unknown command "bogus"; must be run, install, status, doctor or version`},
		{"run", 2, "", "peerjob-runner: run needs a command: peerjob-runner run [FLAGS] -- COMMAND [ARGUMENT...]"},
		{"run --", 2, "", "peerjob-runner: run needs a command: peerjob-runner run [FLAGS] -- COMMAND [ARGUMENT...]"},
		{"run --help", 0, runUsage + "\n\nFlags:\n", ""},
		{"run --bogus -- x", 2, "", "peerjob-runner: flag provided but not defined: -bogus"},
		{"run --port=65536 -- x", 2, "", `peerjob-runner: invalid value "65536" for flag -port: must be from 1 to 65535`},
		{"run --start-timeout=10s -- x", 2, "", "peerjob-runner: --start-timeout and --end-timeout need --port"},
		{"run --start-timeout=-1s -- x", 2, "", `peerjob-runner: invalid value "-1s" for flag -start-timeout: must be a duration of 0s or more, such as 600s`},
		{"run --end-timeout=-1s -- x", 2, "", `peerjob-runner: invalid value "-1s" for flag -end-timeout: must be a duration of 0s or more, such as 600s`},
		{"run --end-timeout=0s -- x", 2, "", "peerjob-runner: --end-timeout must be 1s or more; only --on-failure=RestartPeerJob has 0s, no limit"},
		{"run --max-restarts=3 -- x", 2, "", "peerjob-runner: --max-restarts, --backoff, --on-disruption and --exit-code-rule need --on-failure"},
		{"run --on-failure=Fail -- x", 2, "", `peerjob-runner: invalid value "Fail" for flag -on-failure: must be one of FailPeerJob, RestartPeerJob`},
		{"run --on-failure=FailPeerJob -- x", 2, "", "peerjob-runner: --on-failure needs --port"},
		{"run --port=1 --on-failure=FailPeerJob --max-restarts=1 -- x", 2, "", "peerjob-runner: --max-restarts and --backoff need --on-failure=RestartPeerJob"},
		{"run --port=1 --on-failure=FailPeerJob --on-disruption=Restart -- x", 2, "", "peerjob-runner: --on-disruption=Restart needs --on-failure=RestartPeerJob"},
		{"run --port=1 --on-failure=RestartPeerJob --start-timeout=1s --end-timeout=0s -- x", 2, "", "peerjob-runner: --on-failure=RestartPeerJob needs --max-restarts, --start-timeout and --end-timeout=0s"},
		{"run --port=1 --on-failure=RestartPeerJob --max-restarts=1 --start-timeout=1s --end-timeout=1s -- x", 2, "", "peerjob-runner: --on-failure=RestartPeerJob needs --max-restarts, --start-timeout and --end-timeout=0s"},
		{"run --max-restarts=-1 -- x", 2, "", `peerjob-runner: invalid value "-1" for flag -max-restarts: must be from 0 to 1000000`},
		{"run --on-disruption=x -- x", 2, "", `peerjob-runner: invalid value "x" for flag -on-disruption: must be one of Continue, Fail, Restart`},
		{"run --exit-code-rule=Ignore -- x", 2, "", `peerjob-runner: invalid value "Ignore" for flag -exit-code-rule: must be ACTION:OPERATOR:CODES, such as Ignore:In:42,43`},
		{"run --exit-code-rule=FailIndex:In:1 -- x", 2, "", `peerjob-runner: invalid value "FailIndex:In:1" for flag -exit-code-rule: the action must be FailJob, Ignore or Count`},
		{"run --exit-code-rule=Ignore:Has:1 -- x", 2, "", `peerjob-runner: invalid value "Ignore:Has:1" for flag -exit-code-rule: the operator must be In or NotIn`},
		{"run --exit-code-rule=Ignore:In: -- x", 2, "", `peerjob-runner: invalid value "Ignore:In:" for flag -exit-code-rule: "" is no exit code`},
		{"run --stop-signal=TERM -- x", 2, "", `peerjob-runner: invalid value "TERM" for flag -stop-signal: "TERM" is no signal; write SIGTERM, for example`},
		{"run --until=x -- x", 2, "", `peerjob-runner: invalid value "x" for flag -until: `},
		{"install", 2, "", "peerjob-runner: install needs one folder: peerjob-runner install DIR"},
		{"install a b", 2, "", "peerjob-runner: install needs one folder: peerjob-runner install DIR"},
		{"status x", 2, "", "peerjob-runner: status takes no arguments, only --port"},
		{"status --help", 0, statusUsage, ""},
		{"doctor x", 2, "", "peerjob-runner: doctor takes no arguments, only flags"},
		{"doctor --help", 0, doctorUsage, ""},
		{"doctor --peers=0", 2, "", `peerjob-runner: invalid value "0" for flag -peers: must be from 1 to 100000`},
		{"doctor --timeout=1ms", 2, "", `peerjob-runner: invalid value "1ms" for flag -timeout: must be a duration of 1s or more, such as 10s`},
	}
	for _, test := range tests {
		t.Run(test.arguments, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr strings.Builder
			cmd := exec.Command(built, strings.Fields(test.arguments)...)
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			_ = cmd.Run()
			if code := cmd.ProcessState.ExitCode(); code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			if !strings.HasPrefix(stdout.String(), test.stdout) || test.stdout == "" && stdout.Len() > 0 {
				t.Errorf("stdout %q, want %q", stdout.String(), test.stdout)
			}
			if !strings.HasPrefix(stderr.String(), test.stderr) || test.stderr == "" && stderr.Len() > 0 {
				t.Errorf("stderr %q, want %q", stderr.String(), test.stderr)
			}
		})
	}
}

// What a person reads in the log and in the termination message.
func TestRun_reports(t *testing.T) {
	t.Parallel()
	tests := []struct {
		flags, command string
		environment    string
		code           int
		log            string
		message        string // "=": the log
	}{
		{"", "true", "", 0, "", ""},
		{"", "exit 75", "", 75, "peerjob-runner: the command ended with exit code 75\n", ""},
		{"", "kill -SEGV $$", "", 139, "peerjob-runner: the command was killed by SIGSEGV\n", ""},
		{"", "setsid sleep 1000 & exit 3", "", 3, "peerjob-runner: the command left processes behind; killed 1\npeerjob-runner: the command ended with exit code 3\n", ""},
		{"--port=7451 --end-timeout=1s", "true", "PEERJOB_UID=", 1, "peerjob-runner: PEERJOB_UID is not set; peerjob sets it in the containers of a PeerJob; the command did not run (exit code 1)\n", "="},
		{"--port=7451 --end-timeout=1s", "true", "PEERJOB_SIZE=0", 1, "peerjob-runner: PEERJOB_SIZE is \"0\", and must be the number of peers; the command did not run (exit code 1)\n", "="},
		{"--port=7451 --end-timeout=1s", "true", "JOB_COMPLETION_INDEX=2", 1, "peerjob-runner: JOB_COMPLETION_INDEX is \"2\", and must be from 0 to 1; the command did not run (exit code 1)\n", "="},
		{"--port=7451 --end-timeout=1s --key-file=/nonexistent", "true", "", 1, "peerjob-runner: open /nonexistent: no such file or directory; the command did not run (exit code 1)\n", "="},
		{"--port=7451 --end-timeout=1s --key-file=/dev/null", "true", "", 1, "peerjob-runner: the key in /dev/null is empty; the command did not run (exit code 1)\n", "="},
	}
	for _, test := range tests {
		t.Run(test.flags+test.command+test.environment, func(t *testing.T) {
			t.Parallel()
			cmd, message := peer(t, 0, test.flags, "sh", "-c", "ulimit -c 0; "+test.command)
			if test.environment != "" {
				cmd.Env = append(cmd.Env, test.environment)
			}
			var stderr strings.Builder
			cmd.Stderr = &stderr
			_ = cmd.Run()
			if code := cmd.ProcessState.ExitCode(); code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			if stderr.String() != test.log {
				t.Errorf("log %q, want %q", stderr.String(), test.log)
			}
			if test.message == "=" {
				test.message = test.log
			}
			if got := read(t, message); got != test.message {
				t.Errorf("termination message %q, want %q", got, test.message)
			}
		})
	}
}

func TestRun_commandNotFound(t *testing.T) {
	t.Parallel()
	cmd, message := peer(t, 0, "", "/nonexistent")
	output, _ := cmd.CombinedOutput()
	want := "peerjob-runner: command \"/nonexistent\" not found; the command did not run (exit code 127)\n"
	if code := cmd.ProcessState.ExitCode(); code != 127 || string(output) != want || read(t, message) != want {
		t.Errorf("exit code %d, log %q, termination message %q, want 127, and %q in both", code, output, read(t, message), want)
	}
}

func TestRun_startTimesOut(t *testing.T) {
	t.Parallel()
	cmd, message := peer(t, 1, freePort(t)+" --start-timeout=100ms", "echo", "started")
	output, _ := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != exitTimedOut || strings.Contains(string(output), "started") {
		t.Errorf("exit code %d, want %d; output:\n%s", code, exitTimedOut, output)
	}
	got := read(t, message)
	const why = "peerjob-runner: start: timed out after 100ms; waited for the other peers"
	const so = "the command did not run (exit code 75)\n"
	if got != why+"; "+so || strings.Count(string(output), why+"\n") != 1 || strings.Count(string(output), "peerjob-runner: "+so) != 1 {
		t.Errorf("termination message %q, output:\n%s", got, output)
	}
}

func TestRun_stoppedBeforeTheStart(t *testing.T) {
	t.Parallel()
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGUSR1, syscall.Signal(37)} {
		cmd, message := peer(t, 0, freePort(t)+" --start-timeout=0s", "echo", "started")
		var stdout strings.Builder
		cmd.Stdout = &stdout
		stderr, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := stderr.Read(make([]byte, 1000)); err != nil { // it waits
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != 128+int(s) || stdout.String() != "" {
			t.Errorf("%v: exit code %d, want %d; output %q", s, code, 128+int(s), stdout.String())
		}
		if got := read(t, message); !strings.Contains(got, "the command did not run") {
			t.Errorf("termination message %q", got)
		}
	}
}

// A log that nobody reads holds up neither a signal nor the end.
func TestRun_logIsNotRead(t *testing.T) {
	t.Parallel()
	full, filled, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = full.Close(), filled.Close() }()
	if err := filled.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = filled.Write(make([]byte, 4096))
	}
	closed, broken, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = broken.Close() }()
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	for name, stderr := range map[string]*os.File{"full": filled, "closed": broken} {
		t.Run(name, func(t *testing.T) {
			cmd, _ := peer(t, 0, "", "sh", "-c", "trap 'echo got USR1; exit 3' USR1; echo ready; while :; do read line; done")
			cmd.Stderr = stderr
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			stdin, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = stdin.Close() }()
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			line := make([]byte, 100)
			if n, err := stdout.Read(line); string(line[:n]) != "ready\n" {
				t.Fatalf("output %q, %v", line[:n], err)
			}
			if err := cmd.Process.Signal(syscall.SIGUSR1); err != nil {
				t.Fatal(err)
			}
			if n, err := stdout.Read(line); string(line[:n]) != "got USR1\n" {
				t.Errorf("output %q, %v", line[:n], err)
			}
			_ = cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != 3 {
				t.Errorf("%v, want exit code 3", cmd.ProcessState)
			}
		})
	}
}

// The settings of a Go program that is the command are not for the runner, and are seen
// by the command.
func TestRun_memory(t *testing.T) {
	t.Parallel()
	for _, setting := range []string{"A=b", "GOGC=off", "GOMEMLIMIT=1B", "GOMAXPROCS=64"} {
		cmd, _ := peer(t, 0, freePort(t)+" --end-timeout=1s", "sh", "-c", "env | grep ^${1%=*}=; sed -n 's/^VmHWM: *//p' /proc/$PPID/status; kill -KILL $PPID", "sh", setting)
		cmd.Env = append(cmd.Env, setting)
		output, err := cmd.Output()
		seen, memory, _ := strings.Cut(strings.TrimSpace(string(output)), "\n")
		if seen != setting {
			t.Errorf("the command sees %q, want %q; %v", seen, setting, err)
		}
		var kilobytes int
		if _, err := fmt.Sscanf(strings.TrimSpace(memory), "%d kB", &kilobytes); err != nil {
			t.Fatalf("output %q: %v", output, err)
		}
		t.Logf("%s: %d kB", setting, kilobytes)
		if kilobytes > 10_000 {
			t.Errorf("%s: the runner has %d kB resident, at most 10 MB", setting, kilobytes)
		}
	}
}

// BenchmarkRun_start compares a command behind the runner with the command alone: the
// difference is what the runner takes to start and to end.
func BenchmarkRun_start(b *testing.B) {
	for name, command := range map[string][]string{"alone": {"true"}, "behind the runner": {built, "run", "--", "true"}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := exec.Command(command[0], command[1:]...).Run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestBinary holds the program to its size, because every node pulls it, and to what it
// links: nothing of Kubernetes.
func TestBinary(t *testing.T) {
	t.Parallel()
	info, err := os.Stat(built)
	if err != nil {
		t.Fatal(err)
	}
	const most = 8_000_000
	if info.Size() > most {
		t.Errorf("%d bytes, and %d are the most", info.Size(), most)
	}
	t.Logf("%d bytes", info.Size())
	contents, err := buildinfo.ReadFile(built)
	if err != nil {
		t.Fatal(err)
	}
	for _, module := range contents.Deps {
		if strings.Contains(module.Path, "k8s.io/") {
			t.Errorf("links %s", module.Path)
		}
	}
}
