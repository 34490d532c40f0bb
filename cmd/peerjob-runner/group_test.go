// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// networkScript makes a network of three machines with names, or of those in $machines.
const networkScript = `
set -e
mount --make-rprivate /
mount --bind hosts /etc/hosts
mount -t tmpfs none /run
ip link add bridge type bridge
ip link set bridge up
for i in ${machines:-0 1 2}; do
  ip netns add p$i
  ip link add v$i type veth peer name eth0 netns p$i
  ip link set v$i master bridge up
  ip -n p$i link set lo up
  ip -n p$i addr add 10.77.0.1$i/24 dev eth0
  ip -n p$i link set eth0 up
  : > message$i
done
export PEERJOB_NAME=train PEERJOB_SERVICE=svc PEERJOB_SIZE=3 PEERJOB_UID=one
`

// groupScript runs a peer on each machine of the network. The last one comes when a line is
// read. A command ends when its pipe is closed.
const groupScript = networkScript + `
for i in 0 1 2; do mkfifo pipe$i; done
for i in 0 1 2; do
  if [ $i = 2 ]; then echo two peers; read line; fi
  (
    code=0
    JOB_COMPLETION_INDEX=$i ip netns exec p$i "$1" run --port=7450 --start-timeout=20s --end-timeout=20s \
      --termination-message=message$i --key-file=key -- sh -c "echo started; echo command >&2; read line < pipe$i; exit 0" > out$i 2> log$i || code=$?
    echo "peer $i: $code"
  ) &
done
wait`

// TestGroup has three real runners that start and leave together.
func TestGroup(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skipf("needs ip, to make a network: %v", err)
	}
	folder := t.TempDir()
	for name, content := range map[string]string{
		"hosts": "127.0.0.1 localhost\n10.77.0.10 train-0.svc\n10.77.0.11 train-1.svc\n10.77.0.12 train-2.svc\n",
		"key":   "a key of 16 bytes or more",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", groupScript, "sh", built)
	cmd.Dir, cmd.SysProcAttr = folder, ownNamespaces()
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); errors.Is(err, syscall.EPERM) {
		t.Skipf("no namespaces here: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	expect := func(want ...string) {
		t.Helper()
		var got []string
		for range want {
			select {
			case line := <-lines:
				got = append(got, line)
			case <-time.After(20 * time.Second):
			}
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Fatalf("got %q, want %q; stderr:\n%s\n%s", got, want, stderr.String(), logs(folder))
		}
	}
	contains := func(file, part string) bool {
		content, _ := os.ReadFile(filepath.Join(folder, file))
		return strings.Contains(string(content), part)
	}
	until := func(file, part string) {
		t.Helper()
		for began := time.Now(); !contains(file, part); time.Sleep(5 * time.Millisecond) {
			if time.Since(began) > 20*time.Second {
				t.Fatalf("no %q in %s:\n%s", part, file, logs(folder))
			}
		}
	}
	finish := func(index int) {
		pipe, err := os.OpenFile(filepath.Join(folder, fmt.Sprintf("pipe%d", index)), os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		_ = pipe.Close()
	}

	expect("two peers")
	until("log0", "waiting for every peer")
	until("log1", "waiting for every peer")
	if contains("out0", "started") || contains("out1", "started") {
		t.Errorf("started without the third peer:\n%s", logs(folder))
	}
	_, _ = fmt.Fprintln(stdin)
	for _, file := range []string{"out0", "out1", "out2"} {
		until(file, "started")
	}
	finish(1)
	finish(2)
	until("log1", "end: staying")
	until("log2", "end: staying")
	select {
	case line := <-lines:
		t.Errorf("%s, before all had ended", line)
	default:
	}
	finish(0)
	expect("peer 0: 0", "peer 1: 0", "peer 2: 0")
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, stderr.String())
	}
	for _, file := range []string{"log0", "log1", "log2"} {
		before, _, _ := strings.Cut(read(t, filepath.Join(folder, file)), "command\n")
		if !strings.Contains(before, "start: every peer is there") {
			t.Errorf("%s: the start is not said before the command's own words", file)
		}
	}
	if t.Failed() || testing.Verbose() {
		t.Log(logs(folder))
	}
}

// A command that failed has nothing to wait for.
func TestRun_failedCommandLeavesAtOnce(t *testing.T) {
	t.Parallel()
	cmd, _ := peer(t, 1, freePort(t)+" --end-timeout=600s", "sh", "-c", "exit 3")
	output, _ := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != 3 {
		t.Errorf("exit code %d, want 3; output:\n%s", code, output)
	}
}

func logs(folder string) string {
	var all strings.Builder
	for _, pattern := range []string{"log[0-9]", "message[0-9]"} {
		files, _ := filepath.Glob(filepath.Join(folder, pattern))
		for _, file := range files {
			content, _ := os.ReadFile(file)
			fmt.Fprintf(&all, "%s:\n%s\n", filepath.Base(file), content)
		}
	}
	return all.String()
}
