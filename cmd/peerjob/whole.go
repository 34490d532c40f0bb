// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// writeWhole writes a file as a whole or not at all, in the place of what has the name.
// A link is replaced and not followed, and a program that runs keeps its file.
func writeWhole(name string, mode os.FileMode, content io.Reader) error {
	return putInPlace(name, func(temporary string) error {
		file, err := os.OpenFile(temporary, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = io.Copy(file, content)
		return errors.Join(err, file.Chmod(mode), file.Sync(), file.Close())
	})
}

// linkWhole makes a symbolic link in the place of what has the name.
func linkWhole(to, name string) error {
	return putInPlace(name, func(temporary string) error { return os.Symlink(to, temporary) })
}

// putInPlace makes a file under a name of its own beside a target, and moves it there.
func putInPlace(target string, put func(temporary string) error) error {
	// A folder of its own has a name that nobody else takes.
	folder, err := os.MkdirTemp(filepath.Dir(target), ".peerjob-*")
	if err != nil {
		return fmt.Errorf("%s: %s", target, plainError(err))
	}
	temporary := filepath.Join(folder, filepath.Base(target))
	if err = put(temporary); err == nil {
		err = os.Rename(temporary, target)
	}
	if err != nil {
		err = fmt.Errorf("%s: %s", target, plainError(err))
	}
	return errors.Join(err, os.RemoveAll(folder))
}
