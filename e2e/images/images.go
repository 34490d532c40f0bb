// SPDX-License-Identifier: Apache-2.0

// Package images makes container images from files of this machine, so that
// nothing is pulled: an archive as "docker save" writes it, which containerd,
// docker and kind load.
package images

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Image is what goes into an image of one layer.
type Image struct {
	// Name is what a Pod calls it, such as "bash:latest".
	Name string
	// Entrypoint, User and StopSignal are as in a Dockerfile.
	Entrypoint []string
	User       string
	StopSignal string
	// Files are those in the image, in any order.
	Files []File
}

// File is a file, a directory or a symbolic link in an image.
type File struct {
	// Path is where it stands in the image.
	Path string
	// Source is the file on this machine that it is a copy of.
	Source string
	// Content is what stands in it where Source is empty.
	Content string
	// Link is what a symbolic link points to.
	Link string
	// Mode is its mode; 0 is 0755 for a directory, else that of the source or
	// 0644.
	Mode os.FileMode
}

// Write writes the image as an archive.
func (i Image) Write(archive string) error {
	tag, err := name.NewTag(i.Name)
	if err != nil {
		return err
	}
	content, err := layer(i.Files)
	if err != nil {
		return fmt.Errorf("%s: %w", i.Name, err)
	}
	// It is read once, on this machine.
	l, err := tarball.LayerFromFile(content, tarball.WithCompressionLevel(gzip.NoCompression))
	defer os.Remove(content)
	if err != nil {
		return fmt.Errorf("%s: %w", i.Name, err)
	}
	image, err := mutate.AppendLayers(empty.Image, l)
	if err != nil {
		return fmt.Errorf("%s: %w", i.Name, err)
	}
	image, err = mutate.ConfigFile(image, config(i, image))
	if err != nil {
		return fmt.Errorf("%s: %w", i.Name, err)
	}
	return tarball.WriteToFile(archive, tag, image)
}

func config(i Image, image v1.Image) *v1.ConfigFile {
	file, err := image.ConfigFile()
	if err != nil {
		file = &v1.ConfigFile{}
	}
	file = file.DeepCopy()
	file.OS, file.Architecture = "linux", runtime.GOARCH
	file.Config = v1.Config{Entrypoint: i.Entrypoint, User: i.User, StopSignal: i.StopSignal, Env: []string{"PATH=/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin"}}
	return file
}

// layer writes the files into a temporary tar archive and returns its name.
func layer(files []File) (file string, err error) {
	out, err := os.CreateTemp("", "peerjob-e2e-layer-")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	w := tar.NewWriter(out)
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	made := map[string]bool{"/": true, ".": true}
	for _, f := range files {
		if made[f.Path] {
			continue
		}
		if err := writeParents(w, made, f.Path); err != nil {
			return out.Name(), err
		}
		if err := f.write(w); err != nil {
			return out.Name(), err
		}
		made[f.Path] = true
	}
	return out.Name(), w.Close()
}

func writeParents(w *tar.Writer, made map[string]bool, file string) error {
	parent := path.Dir(file)
	if made[parent] {
		return nil
	}
	if err := writeParents(w, made, parent); err != nil {
		return err
	}
	made[parent] = true
	return File{Path: parent, Mode: os.ModeDir}.write(w)
}

func (f File) write(w *tar.Writer) (err error) {
	h := &tar.Header{Name: strings.TrimPrefix(f.Path, "/"), Mode: int64(f.Mode.Perm())}
	if f.Mode&os.ModeSticky != 0 {
		h.Mode |= 0o1000
	}
	var content io.Reader
	switch {
	case f.Link != "":
		h.Typeflag, h.Linkname, h.Mode = tar.TypeSymlink, f.Link, 0o777
	case f.Mode.IsDir():
		h.Typeflag, h.Name = tar.TypeDir, h.Name+"/"
		h.Mode = cmp.Or(h.Mode, 0o755)
	case f.Source != "":
		source, err := os.Open(f.Source)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, source.Close()) }()
		info, err := source.Stat()
		if err != nil {
			return err
		}
		h.Mode, h.Size, content = cmp.Or(h.Mode, int64(info.Mode().Perm())), info.Size(), source
	default:
		h.Mode, h.Size, content = cmp.Or(h.Mode, 0o644), int64(len(f.Content)), bytes.NewReader([]byte(f.Content))
	}
	if err := w.WriteHeader(h); err != nil || content == nil {
		return err
	}
	if _, err := io.Copy(w, content); err != nil {
		return fmt.Errorf("%s: %w", f.Path, err)
	}
	return nil
}
