// SPDX-License-Identifier: Apache-2.0

//go:build linux

package process

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// stateScript prints what a process inherits, and leaves out what differs in any two.
const stateScript = `
grep -Ev '^(Name|Tgid|Ngid|Pid|PPid|TracerPid|NStgid|NSpid|NSpgid|Vm.*|Rss.*|State|Hugetlb.*|Threads|SigQ|Cpus_.*|Mems_.*|.*voluntary_.*|FDSize|.*Pnd|Speculation.*)' /proc/self/status
cat /proc/self/limits /proc/self/environ /proc/self/cgroup /proc/self/oom_score_adj /proc/self/personality /proc/self/timerslack_ns
cut -d' ' -f6,7,18,19 /proc/$$/stat # session, terminal, priority, nice
cut -d' ' -f40,41 /proc/$$/stat # scheduling
ls -l /proc/self/ns | sed 's/.*-> //'
pwd; readlink /proc/self/cwd /proc/self/root /proc/self/exe
for fd in /proc/$$/fd/*; do readlink $fd; grep -E '^(flags|mnt_id)' /proc/$$/fdinfo/${fd##*/} 2>/dev/null; done
readlink /proc/$$/fd/0; head -c 3; exit 9`

// TestStart_inheritsEverything compares a command that the runner starts with one
// that is started directly.
func TestStart_inheritsEverything(t *testing.T) {
	t.Parallel()
	settings := map[string]string{
		"as is":                     "",
		"limits":                    "ulimit -Sn 300; ulimit -c 0; ulimit -Ss 4096",
		"hard limits":               "ulimit -n 300",
		"umask":                     "umask 027",
		"nice":                      "renice -n 5 -p $$ >/dev/null",
		"OOM score":                 "echo 500 > /proc/self/oom_score_adj",
		"working directory":         "cd /proc",
		"removed working directory": "mkdir gone; cd gone; rmdir ../gone",
		"no PWD":                    "unset PWD OLDPWD",
		"ignored SIGHUP and SIGINT": "trap '' HUP INT",
		"file descriptor":           "exec 7< program",
		"odd environment":           "set -- env -i 'PATH=/usr/bin:/bin' A= 'B=1=2' 'no-name.x=y' 'GODEBUG=gctrace=0' GOGC=off GOMAXPROCS=1 \"$@\"",
		"ambient capabilities":      "set -- setpriv --inh-caps +net_bind_service --ambient-caps +net_bind_service \"$@\"",
		"no capabilities":           "set -- setpriv --bounding-set -all --inh-caps -all \"$@\"",
		"user without a name":       "set -- setpriv --reuid 12345 --regid 54321 --groups 7,8 --no-new-privs \"$@\"",
	}
	for name, setting := range settings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if os.Getuid() != 0 && strings.Contains(setting, "setpriv") {
				t.Skip("needs root, to change capabilities and users")
			}
			state := func(arguments ...string) string {
				folder := t.TempDir()
				if err := os.WriteFile(filepath.Join(folder, "program"), []byte("0123456789"), 0o600); err != nil {
					t.Fatal(err)
				}
				stdin, err := os.Open(filepath.Join(folder, "program"))
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = stdin.Close() }()
				if _, err := stdin.Seek(2, 0); err != nil {
					t.Fatal(err)
				}
				out, err := os.Create(filepath.Join(folder, "out"))
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = out.Close() }()
				cmd := exec.Command("sh", append([]string{"-c", setting + "\nexec \"$@\"", "sh"}, arguments...)...)
				cmd.Env = append(os.Environ(), roleVariable+"=supervise")
				if strings.Contains(setting, "env -i") {
					cmd.Args[2] = strings.Replace(cmd.Args[2], "env -i", "env -i "+roleVariable+"=supervise", 1)
				}
				cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = folder, stdin, out, out
				err = cmd.Run()
				content, _ := os.ReadFile(out.Name())
				if cmd.ProcessState.ExitCode() != 9 {
					t.Fatalf("%v\n%s", err, content)
				}
				return strings.NewReplacer(roleVariable+"=supervise\x00", "", folder, "FOLDER").Replace(string(content))
			}
			direct := state("sh", "-c", stateScript)
			supervised := state(program, "sh", "-c", stateScript)
			if diff := cmp.Diff(direct, supervised); diff != "" {
				t.Errorf("(-direct +supervised):\n%s", diff)
			}
		})
	}
}

// Nobody reads what the command writes.
func TestStart_brokenPipe(t *testing.T) {
	t.Parallel()
	for _, arguments := range [][]string{{"yes"}, {program, "yes"}} {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(arguments[0], arguments[1:]...)
		cmd.Env = append(os.Environ(), roleVariable+"=supervise")
		cmd.Stdout, cmd.Stderr = write, write
		if err := read.Close(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Run()
		if err := write.Close(); err != nil {
			t.Fatal(err)
		}
		code := cmd.ProcessState.ExitCode()
		if cmd.ProcessState.String() == "signal: broken pipe" {
			code = 128 + 13
		}
		if code != 128+13 {
			t.Errorf("%q: %v", arguments, cmd.ProcessState)
		}
	}
}
