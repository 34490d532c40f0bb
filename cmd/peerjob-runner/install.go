// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// program is the name of the installed program.
const program = "peerjob-runner"

func installProgram(args []string, stdout, stderr io.Writer) int {
	if len(args) != 1 || args[0] == "" {
		return wrongUsage(stderr, "install needs one folder: peerjob-runner install DIR")
	}
	if args[0] == "--help" || args[0] == "-h" {
		return print(stdout, stderr, usage)
	}
	if err := install(args[0]); err != nil {
		_, _ = fmt.Fprintf(stderr, "peerjob-runner: %v\n", err)
		return exitFailed
	}
	return 0
}

// install copies this program to a folder. Whoever looks sees the whole program or none,
// also when an init container runs again.
func install(folder string) error {
	// The path of the program can be gone or be another file; this link can't.
	from, err := os.Open("/proc/self/exe")
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }() // only read
	temporary := filepath.Join(folder, "."+program+".new")
	// An earlier run can have been killed.
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return installError(folder, from, err)
	}
	to, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return installError(folder, from, err)
	}
	_, err = io.Copy(to, from)
	err = errors.Join(err, to.Chmod(0o755), to.Close()) // whatever the umask
	if err == nil {
		err = os.Rename(temporary, filepath.Join(folder, program))
	}
	if err != nil {
		return installError(folder, from, errors.Join(err, os.Remove(temporary)))
	}
	return nil
}

// installError says what to do about an error.
func installError(folder string, from *os.File, err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		size := int64(0)
		if info, err := from.Stat(); err == nil {
			size = info.Size()
		}
		return fmt.Errorf("install to %s: no room for %d bytes; give the volume a larger sizeLimit, or the node more disk", folder, size)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("install to %s: user %d must be able to write there; mount an emptyDir without readOnly: %w", folder, os.Getuid(), err)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("install to %s: must be a folder; mount an emptyDir there: %w", folder, err)
	}
	return fmt.Errorf("install to %s: %w", folder, err)
}
