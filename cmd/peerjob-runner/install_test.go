// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func TestInstall(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]string{
		"empty":               "true",
		"again":               `"$1" install "$2"`,
		"umask":               "umask 0777",
		"killed before":       `echo half > "$2/.peerjob-runner.new"; chmod 0 "$2/.peerjob-runner.new"`,
		"while it runs":       `"$1" install "$2" && "$2/peerjob-runner" run -- sh -c 'echo > "$1/runs"; exec sleep 1000' sh "$2" 2>/dev/null & until [ -e "$2/runs" ]; do :; done; trap "kill $!" EXIT`,
		"other folder":        "cd /",
		"its path is gone":    `cp "$1" "$2/moved"; set -- "$2/moved" "$2"; gone='rm "$1"'`,
		"user without rights": `chmod 777 "$2"; prefix="setpriv --reuid 12345 --regid 12345 --clear-groups --no-new-privs --bounding-set -all"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if strings.Contains(prepare, "setpriv") && os.Getuid() != 0 {
				t.Skip("needs root, to become another user")
			}
			folder := t.TempDir()
			if err := os.Chmod(filepath.Dir(folder), 0o755); err != nil {
				t.Fatal(err)
			}
			output, err := exec.Command("sh", "-c", prepare+"\n$prefix \"$1\" install \"$2\"", "sh", built, folder).CombinedOutput()
			if err != nil || len(output) > 0 {
				t.Fatalf("%v\n%s", err, output)
			}
			file := filepath.Join(folder, program)
			info, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode() != 0o755 {
				t.Errorf("mode %v, want 0755", info.Mode())
			}
			if read(t, file) != read(t, built) {
				t.Error("the copy differs")
			}
			if _, err := os.Stat(filepath.Join(folder, "."+program+".new")); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("a temporary file is left: %v", err)
			}
		})
	}
}

func TestInstall_errors(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, prepare, want string }{
		{"no folder", `set -- "$1" "$2/none"`, "install to FOLDER/none: must be a folder; mount an emptyDir there: "},
		{"a file", `touch "$2/file"; set -- "$1" "$2/file"`, "install to FOLDER/file: must be a folder; mount an emptyDir there: "},
		{"no room", `mount -t tmpfs -o size=1m none "$2"`, "install to FOLDER: no room for SIZE bytes; give the volume a larger sizeLimit, or the node more disk\n"},
		{"read-only", `mount -t tmpfs -o ro none "$2"`, "install to FOLDER: user 0 must be able to write there; mount an emptyDir without readOnly: "},
		{"no rights", `chmod 755 "$2"; prefix="setpriv --reuid 12345 --regid 12345 --clear-groups"`, "install to FOLDER: user 12345 must be able to write there; mount an emptyDir without readOnly: "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if strings.Contains(test.prepare, "setpriv") && os.Getuid() != 0 {
				t.Skip("needs root, to become another user")
			}
			folder := t.TempDir()
			if err := os.Chmod(filepath.Dir(folder), 0o755); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("sh", "-c", test.prepare+"\n$prefix \"$1\" install \"$2\"; code=$?; ls -A \"$2\" 2>/dev/null; exit $code", "sh", built, folder)
			if strings.Contains(test.prepare, "mount") {
				cmd.SysProcAttr = ownNamespaces()
			}
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			err := cmd.Run()
			if errors.Is(err, syscall.EPERM) {
				t.Skipf("no namespaces here: %v", err)
			}
			if code := cmd.ProcessState.ExitCode(); code != exitFailed {
				t.Errorf("exit code %d, want %d", code, exitFailed)
			}
			info, err := os.Stat(built)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.NewReplacer("FOLDER", folder, "SIZE", strconv.FormatInt(info.Size(), 10)).Replace(test.want)
			got, _ := strings.CutPrefix(stderr.String(), "peerjob-runner: ")
			if !strings.HasPrefix(got, want) || strings.Count(got, "\n") > 1 {
				t.Errorf("error %q, want %q", got, want)
			}
			if left := stdout.String(); strings.Contains(left, program) {
				t.Errorf("left in the folder:\n%s", left)
			}
		})
	}
}
