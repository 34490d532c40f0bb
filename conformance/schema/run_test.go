// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"testing"
)

// command is a command in a folder that writes to stdout.
func command(t *testing.T, dir string, stdout io.Writer, name string, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	c.Dir, c.Stdout = dir, stdout
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	return c
}

// run returns what a command prints, and fails the test if the command fails.
func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	c := command(t, dir, &stdout, name, args...)
	c.Stderr = &stderr
	if err := c.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", c, err, &stdout, &stderr)
	}
	return stdout.String()
}
