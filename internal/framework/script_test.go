// SPDX-License-Identifier: Apache-2.0

package framework_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/peerjob/peerjob/examples/frameworks"
	"github.com/peerjob/peerjob/internal/framework"
)

// shell runs the command of a peer with the machine's sh, in a folder in which
// programs of the given names stand in for the real ones.
func shell(t *testing.T, p pod, programs map[string]string) *exec.Cmd {
	t.Helper()
	dir := t.TempDir()
	for name, script := range programs {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	words := append(p.command[1:len(p.command):len(p.command)], p.args...)
	for i := range words {
		for _, folder := range []string{"/run/peerjob", "/etc/peerjob/ssh", "/etc/mpi", "/usr/sbin/sshd", "/run/sshd"} {
			words[i] = strings.ReplaceAll(words[i], folder, dir+folder)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, p.command[0], words...)
	// Processes in the background end with the test, as they do with a container.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	t.Cleanup(func() {
		if cmd.Process == nil {
			return
		}
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Error(err)
		}
	})
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH")}
	for _, name := range p.order {
		cmd.Env = append(cmd.Env, name+"="+p.env[name])
	}
	return cmd
}

const dask = "metadata: {name: a}\nspec: {peers: 3, framework: {type: Dask, leader: {command: [sh, -c, %q], args: [x, \"$(PEERJOB_LEADER)\", \"it's $HOME; \\\"quoted\\\"\"]}}, template: {spec: {containers: [{name: w, image: x%s}]}}}"

// TestScript_leader: index 0 runs the leader's command, to the letter, with its
// exit code, beside the scheduler.
func TestScript_leader(t *testing.T) {
	g := parse(t, fmt.Sprintf(dask, `while [ ! -f started ]; do sleep 0.1; done; printf '<%s>' "$@"; exit 7`, ", command: [worker]"))
	cmd := shell(t, podOf(t, g, 0), map[string]string{"dask": "echo \"$@\" > started\nexec sleep 60\n"})
	var out bytes.Buffer
	cmd.Stdout = &out
	cmd.WaitDelay = 100 * time.Millisecond // the scheduler goes with the container
	err := cmd.Run()
	if code := exitCode(err); code != 7 && !errors.Is(err, exec.ErrWaitDelay) {
		t.Errorf("%v", err)
	}
	if want := `<prod-a-0.prod-a><it's $HOME; "quoted">`; out.String() != want {
		t.Errorf("got %s, want %s", &out, want)
	}
	started, err := os.ReadFile(filepath.Join(cmd.Dir, "started"))
	if want := "scheduler --port 8786\n"; err != nil || string(started) != want {
		t.Errorf("started %q, %v, want %q", started, err, want)
	}
}

// TestScript_ownWorker: the others run the container's command, to the letter,
// and end as it ends.
func TestScript_ownWorker(t *testing.T) {
	g := parse(t, fmt.Sprintf(dask, "exit 1", `, command: [sh, -c, 'printf "<%s>" "$@"; exit 9'], args: [x, "$(DASK_SCHEDULER_ADDRESS)", "a b", "", "'", "c", "d", "e", "f", "g", "h"]`))
	cmd := shell(t, podOf(t, g, 2), nil)
	out, err := cmd.Output()
	if code := exitCode(err); code != 9 {
		t.Errorf("%v", err)
	}
	if want := `<tcp://prod-a-0.prod-a:8786><a b><><'><c><d><e><f><g><h>`; string(out) != want {
		t.Errorf("got %s, want %s", out, want)
	}
}

// TestScript_worker: the framework's worker is started again when it ends, and
// stops when the container is told to.
func TestScript_worker(t *testing.T) {
	cmd := shell(t, podOf(t, parse(t, fmt.Sprintf(dask, "exit 1", "")), 1), map[string]string{
		"dask": "echo \"$@\" >> log\nif [ -f once ]; then exec sleep 60; fi\n: > once\nexit 3\n",
	})
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := "worker --nworkers 1 tcp://prod-a-0.prod-a:8786\n"
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		log, _ := os.ReadFile(filepath.Join(cmd.Dir, "log"))
		if string(log) == line+line {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the worker was run so: %q", log)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := exitCode(cmd.Wait()); code != 143 {
		t.Errorf("exit code %d, want 143", code)
	}
	if want := "peerjob: the worker ended with code 3, and is started again\n"; said.String() != want {
		t.Errorf("said %q, want %q", &said, want)
	}
}

// TestScript_missing: a program that is not there fails the Pod.
func TestScript_missing(t *testing.T) {
	cmd := shell(t, podOf(t, parse(t, fmt.Sprintf(dask, "exit 1", "")), 1), nil)
	cmd.Env[0] = "PATH=/nonexistent"
	if code := exitCode(cmd.Run()); code != 127 {
		t.Errorf("exit code %d, want 127", code)
	}
}

// TestScript_mpi runs the scripts of the MPI examples: the leader finds a
// hostfile with the names of today, and ssh and sshd what they want.
func TestScript_mpi(t *testing.T) {
	lines := map[string]string{
		"OpenMPI": "prod-sum-0.prod-sum slots=2\nprod-sum-1.prod-sum slots=2\nprod-sum-2.prod-sum slots=2\n",
		"MPICH":   "prod-sum-0.prod-sum:2\nprod-sum-1.prod-sum:2\nprod-sum-2.prod-sum:2\n",
	}
	lines["IntelMPI"] = lines["MPICH"]
	variables := map[string]string{"OpenMPI": "OMPI_MCA_orte_default_hostfile", "MPICH": "HYDRA_HOST_FILE", "IntelMPI": "I_MPI_HYDRA_HOST_FILE"}
	arguments := map[string]string{"OpenMPI": "OMPI_MCA_plm_rsh_args", "MPICH": "HYDRA_LAUNCHER_EXTRA_ARGS", "IntelMPI": "I_MPI_HYDRA_BOOTSTRAP_EXEC_EXTRA_ARGS"}
	for _, entry := range framework.Entries() {
		if !entry.SSH {
			continue
		}
		t.Run(entry.Type, func(t *testing.T) {
			g := parse(t, example(t, frameworks.Folder(entry.Type)))
			run := `test "$1" = -n && cat "$D/run/peerjob/hostfile"` + "\n"
			for index, want := range map[int]string{0: lines[entry.Type], 1: "sshd -D -e -f /run/peerjob/ssh/sshd_config\n"} {
				p := podOf(t, g, index)
				cmd := shell(t, p, map[string]string{
					"mpirun": run, "mpiexec": run, "mpiexec.hydra": run, "getent": "exit 0\n",
					"usr/sbin/sshd": `test "$JOB_COMPLETION_INDEX" = 0 || { echo "sshd $@" | sed "s:$D::"; kill "$PPID"; }` + "\n",
				})
				cmd.Env = append(cmd.Env, "D="+cmd.Dir)
				for path, content := range map[string]string{
					"etc/peerjob/ssh/ssh-privatekey": "PRIVATE\n", "etc/peerjob/ssh/ssh-publickey": "ssh-ed25519 AAAA\n",
					"etc/mpi/hostfile": p.files["/etc/mpi/hostfile"],
				} {
					if err := os.MkdirAll(filepath.Dir(filepath.Join(cmd.Dir, path)), 0o755); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(filepath.Join(cmd.Dir, path), []byte(content), 0o400); err != nil {
						t.Fatal(err)
					}
				}
				out, err := cmd.Output()
				if string(out) != want {
					t.Errorf("index %d: %q, %v, want %q", index, out, err, want)
				}
				ssh := filepath.Join(cmd.Dir, "run/peerjob/ssh")
				if info, err := os.Stat(filepath.Join(ssh, "key")); err != nil || info.Mode() != 0o600 {
					t.Errorf("the key: %v, %v", info, err)
				}
				if known, err := os.ReadFile(filepath.Join(ssh, "known_hosts")); string(known) != "* ssh-ed25519 AAAA\n" {
					t.Errorf("known hosts: %q, %v", known, err)
				}
				if got := p.env[variables[entry.Type]]; got != "/run/peerjob/hostfile" {
					t.Errorf("%s is %q", variables[entry.Type], got)
				}
				if got := p.env[arguments[entry.Type]]; got != "-F /run/peerjob/ssh/config" {
					t.Errorf("%s is %q", arguments[entry.Type], got)
				}
			}
		})
	}
}

func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}
