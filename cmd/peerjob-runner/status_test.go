// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRunnerPort has the processes of a container, and of others on its node.
func TestRunnerPort(t *testing.T) {
	const own, other = "mnt:[1]", "mnt:[2]"
	type process struct{ pid, mounts, line string }
	for name, tt := range map[string]struct {
		processes []process
		want      uint16
	}{
		"process 1":                  {[]process{{"1", own, "/peerjob/peerjob-runner run --port=9000 --start-timeout=600s --stop-signal=SIGUSR1 -- train --port=1"}, {"7", own, "train --port=1"}}, 9000},
		"a shared process namespace": {[]process{{"1", other, "/pause"}, {"12", own, "/peerjob/peerjob-runner run --port=9001 -- train"}}, 9001},
		"the processes of a node":    {[]process{{"8", other, "/peerjob/peerjob-runner run --port=9002 -- train"}, {"9", own, "/peerjob/peerjob-runner run --port=9003 -- train"}}, 9003},
		"no runner":                  {[]process{{"1", own, "train --port=9000"}, {"2", own, "/peerjob/peerjob-runner status"}, {"3", own, ""}}, 7450},
		"a runner without a port":    {[]process{{"1", own, "/peerjob/peerjob-runner run -- train --port=9000"}}, 7450},
		"no processes":               {nil, 7450},
	} {
		t.Run(name, func(t *testing.T) {
			proc := t.TempDir()
			for _, p := range append(tt.processes, process{"self", own, ""}) {
				folder := filepath.Join(proc, p.pid, "ns")
				line := strings.ReplaceAll(p.line, " ", "\x00") + "\x00"
				if err := os.MkdirAll(folder, 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(p.mounts, filepath.Join(folder, "mnt")); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(proc, p.pid, "cmdline"), []byte(line), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if got := runnerPort(proc); got != tt.want {
				t.Errorf("%d, want %d", got, tt.want)
			}
		})
	}
}
