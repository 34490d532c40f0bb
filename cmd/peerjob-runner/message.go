// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"unicode/utf8"
)

// maxMessage is how much of a termination message Kubernetes keeps, in bytes. It keeps
// the end of a longer one.
const maxMessage = 4096

// appendMessage adds a line to the termination message, behind what the command wrote
// there. It cuts the line to what there is room for, and creates no file: Kubernetes
// makes it, and nobody reads another.
func appendMessage(file, line string) error {
	if file == "" {
		return nil
	}
	f, err := os.OpenFile(file, os.O_RDWR|os.O_APPEND, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	text := line + "\n"
	last := []byte{'\n'}
	if size := info.Size(); info.Mode().IsRegular() && size > 0 {
		if _, err := f.ReadAt(last, size-1); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	if last[0] != '\n' {
		text = "\n" + text
	}
	_, err = io.WriteString(f, cut(text, maxMessage-info.Size()))
	return errors.Join(err, f.Close())
}

// cut returns the start of a text, at most limit bytes of it, without half a character.
func cut(text string, limit int64) string {
	if int64(len(text)) <= limit {
		return text
	}
	limit = max(limit, 0)
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}
