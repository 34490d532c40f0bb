// SPDX-License-Identifier: Apache-2.0

//go:build linux

package process

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// The exit codes of a command that did not run, as a shell has them.
const (
	CodeCannotRun = 126
	CodeNotFound  = 127
)

// CommandError says why a command can't be run.
type CommandError struct {
	// Code is CodeCannotRun or CodeNotFound.
	Code   int
	detail string
}

func (e *CommandError) Error() string { return e.detail }

// lookup finds the file of a command, as container runtimes do. A name with a slash is a
// path from the working directory. Any other name is looked up in the folders of PATH
// that are absolute, so the working directory is not searched.
func lookup(name, path string) (string, error) {
	if strings.Contains(name, "/") {
		if err := executable(name); err != nil {
			return "", commandError(name, err)
		}
		return name, nil
	}
	found := ""
	for _, folder := range filepath.SplitList(path) {
		if name == "" || !filepath.IsAbs(folder) {
			continue
		}
		file := filepath.Join(folder, name)
		err := executable(file)
		if err == nil {
			return file, nil
		}
		if found == "" && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, unix.ENOTDIR) {
			found = file
		}
	}
	if found != "" {
		return "", commandError(found, executable(found))
	}
	return "", &CommandError{CodeNotFound, fmt.Sprintf("command %q not found in PATH %q", name, path)}
}

// executable returns nil if this process may execute the file.
func executable(file string) error {
	info, err := os.Stat(file)
	if err != nil {
		return errors.Unwrap(err)
	}
	if info.IsDir() {
		return unix.EISDIR
	}
	err = unix.Faccessat(unix.AT_FDCWD, file, unix.X_OK, unix.AT_EACCESS)
	if errors.Is(err, unix.EACCES) {
		return err
	}
	return nil // and if this is not known, execve knows
}

// commandError describes an error of a lookup or of execve.
func commandError(file string, err error) error {
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR):
		if _, missing := os.Stat(file); missing == nil {
			return &CommandError{CodeCannotRun, fmt.Sprintf("command %q can't be run: its interpreter or its dynamic loader is not in the image", file)}
		}
		return &CommandError{CodeNotFound, fmt.Sprintf("command %q not found", file)}
	case errors.Is(err, unix.EISDIR):
		return &CommandError{CodeCannotRun, fmt.Sprintf("command %q can't be run: it is a directory", file)}
	case errors.Is(err, unix.ENOEXEC):
		return &CommandError{CodeCannotRun, fmt.Sprintf("command %q can't be run: it is no program for this platform, and a script needs a first line such as #!/bin/sh", file)}
	}
	return &CommandError{CodeCannotRun, fmt.Sprintf("command %q can't be run: %v", file, err)}
}
