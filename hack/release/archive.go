// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// entry is a file in an archive or in the layer of an image.
type entry struct {
	// path is relative and has slashes.
	path string
	// program says that the file can be executed.
	program bool
	content []byte
}

func (e entry) mode() int64 {
	if e.program {
		return 0o755
	}
	return 0o644
}

// sorted are the entries in the order of their paths, so that the order in which they
// were made is not to be seen.
func sorted(entries []entry) []entry {
	return slices.SortedFunc(slices.Values(entries), func(a, b entry) int { return strings.Compare(a.path, b.path) })
}

// writeTar writes the entries and their directories. Every file is root's and of one time.
func writeTar(to io.Writer, entries []entry, at time.Time) error {
	w := tar.NewWriter(to)
	made := map[string]bool{".": true}
	var makeDirectory func(string) error
	makeDirectory = func(name string) error {
		if made[name] {
			return nil
		}
		made[name] = true
		if err := makeDirectory(path.Dir(name)); err != nil {
			return err
		}
		return w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: 0o755, ModTime: at, Format: tar.FormatUSTAR})
	}
	for _, e := range sorted(entries) {
		if err := makeDirectory(path.Dir(e.path)); err != nil {
			return err
		}
		header := &tar.Header{Typeflag: tar.TypeReg, Name: e.path, Mode: e.mode(), Size: int64(len(e.content)), ModTime: at, Format: tar.FormatUSTAR}
		if err := w.WriteHeader(header); err != nil {
			return err
		}
		if _, err := w.Write(e.content); err != nil {
			return err
		}
	}
	return w.Close()
}

// tarGzip returns a .tar.gz. The gzip header has neither a name nor a time.
func tarGzip(entries []entry, at time.Time) ([]byte, error) {
	var buffer bytes.Buffer
	w, err := gzip.NewWriterLevel(&buffer, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	err = errors.Join(writeTar(w, entries, at), w.Close())
	return buffer.Bytes(), err
}

// zipped returns a .zip, for Windows.
func zipped(entries []entry, at time.Time) ([]byte, error) {
	var buffer bytes.Buffer
	w := zip.NewWriter(&buffer)
	for _, e := range sorted(entries) {
		header := &zip.FileHeader{Name: e.path, Method: zip.Deflate, Modified: at.UTC()}
		header.SetMode(os.FileMode(e.mode()))
		file, err := w.CreateHeader(header)
		if err != nil {
			return nil, err
		}
		if _, err := file.Write(e.content); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return buffer.Bytes(), err
}
