// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const (
	// repository is where the images of a release are pushed to.
	repository = "ghcr.io/peerjob"
	// home is where the source is published.
	home = "https://github.com/peerjob/peerjob"
	// passwd is the only file of the images that is neither the program nor a licence:
	// kustomize and kpt run functions with --user nobody, and docker looks the name up in
	// the image.
	passwd = "build/passwd"
	// user is a number because the kubelet can't check runAsNonRoot for a name.
	user = "65534:65534"
)

// makeImage returns the image of a program for one platform: one layer on no base. It has
// no shell and no C library; the program is static. The licences are in /licenses.
func makeImage(s *source, p program, on platform, binary []byte, licences []entry) (v1.Image, error) {
	names, err := os.ReadFile(filepath.Join(s.root, passwd))
	if err != nil {
		return nil, err
	}
	files := []entry{
		{path: strings.TrimPrefix(p.imagePath, "/"), program: true, content: binary},
		{path: "etc/passwd", content: names},
	}
	for _, licence := range licences {
		licence.path = "licenses/" + licence.path
		files = append(files, licence)
	}
	var content bytes.Buffer
	if err := writeTar(&content, files, s.time); err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(
		func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content.Bytes())), nil },
		tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err = mutate.Append(image, mutate.Addendum{
		Layer:   layer,
		History: v1.History{Created: v1.Time{Time: s.time}, CreatedBy: "hack/release", Comment: p.pkg},
	})
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = on.os, on.arch
	config.Created = v1.Time{Time: s.time}
	config.Config = v1.Config{
		Entrypoint: []string{p.imagePath},
		User:       user,
		Labels:     labels(s, p),
	}
	return mutate.ConfigFile(image, config)
}

// labels are those of the Open Container Initiative. Registries show them.
func labels(s *source, p program) map[string]string {
	all := map[string]string{
		"org.opencontainers.image.title":         p.title,
		"org.opencontainers.image.description":   p.description,
		"org.opencontainers.image.source":        home,
		"org.opencontainers.image.documentation": home + "/blob/main/docs/README.md",
		"org.opencontainers.image.version":       s.version,
		"org.opencontainers.image.licenses":      "Apache-2.0",
		"org.opencontainers.image.created":       s.time.Format(time.RFC3339),
	}
	if s.revision != "" {
		all["org.opencontainers.image.revision"] = s.revision
	}
	return all
}

// makeIndex returns the image for several platforms. platforms has the order.
func makeIndex(s *source, p program, platforms []platform, images map[platform]v1.Image) v1.ImageIndex {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, on := range platforms {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        images[on],
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: on.os, Architecture: on.arch}},
		})
	}
	// Registries show the annotations of an index where it has no labels.
	return mutate.Annotations(index, labels(s, p)).(v1.ImageIndex)
}

// archiveOf is the name of the file in dist/ that has a program's image.
func (s *source) imageArchive(p program) string {
	return fmt.Sprintf("%s-image_%s.tar", p.name, s.version)
}

// writeLayout returns an OCI image layout as a tar archive. It also has the manifest.json
// of "docker save", because "docker load" before Docker 29 reads nothing else, and takes one
// platform for a tag: the tags there end with the architecture.
func writeLayout(s *source, p program, platforms []platform, images map[platform]v1.Image) (archive []byte, err error) {
	dir, err := os.MkdirTemp("", "peerjob-layout-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path, err := layout.Write(dir, mutate.IndexMediaType(empty.Index, types.OCIImageIndex))
	if err != nil {
		return nil, err
	}
	reference := fmt.Sprintf("%s/%s:%s", repository, p.image, s.version)
	if err := path.AppendIndex(makeIndex(s, p, platforms, images), layout.WithAnnotations(map[string]string{
		"org.opencontainers.image.ref.name": s.version,
		"io.containerd.image.name":          reference,
	})); err != nil {
		return nil, err
	}
	entries, err := readFolder(dir)
	if err != nil {
		return nil, err
	}
	manifest, err := dockerManifest(reference, platforms, images)
	if err != nil {
		return nil, err
	}
	var buffer bytes.Buffer
	err = writeTar(&buffer, append(entries, entry{path: "manifest.json", content: manifest}), s.time)
	return buffer.Bytes(), err
}

// dockerManifest is what "docker save" lists.
func dockerManifest(reference string, platforms []platform, images map[platform]v1.Image) ([]byte, error) {
	blob := func(hash v1.Hash) string { return "blobs/" + hash.Algorithm + "/" + hash.Hex }
	var manifest tarball.Manifest
	for _, on := range platforms {
		image := images[on]
		config, err := image.ConfigName()
		if err != nil {
			return nil, err
		}
		one := tarball.Descriptor{Config: blob(config), RepoTags: []string{reference + "-" + on.arch}}
		layers, err := image.Layers()
		if err != nil {
			return nil, err
		}
		for _, layer := range layers {
			digest, err := layer.Digest()
			if err != nil {
				return nil, err
			}
			one.Layers = append(one.Layers, blob(digest))
		}
		manifest = append(manifest, one)
	}
	return json.Marshal(manifest)
}

// readFolder returns the files of a folder.
func readFolder(dir string) (entries []entry, err error) {
	err = filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, file)
		entries = append(entries, entry{path: filepath.ToSlash(name), content: content})
		return err
	})
	return entries, err
}

// push pushes the images of dist/ as REPOSITORY/peerjob and REPOSITORY/runner, and prints
// what was pushed with its digest. The tag is the version in the layout.
func push(ctx context.Context, dist, to string, stdout io.Writer) error {
	if _, err := checkSums(dist); err != nil {
		return err
	}
	for _, p := range programs {
		archives, err := filepath.Glob(filepath.Join(dist, p.name+"-image_*.tar"))
		if err != nil {
			return err
		}
		if len(archives) != 1 {
			return fmt.Errorf("%s: found %d images of %s, want one", dist, len(archives), p.name)
		}
		if err := pushArchive(ctx, archives[0], to+"/"+p.image, stdout); err != nil {
			return fmt.Errorf("%s: %w", archives[0], err)
		}
	}
	return nil
}

func pushArchive(ctx context.Context, archive, to string, stdout io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "peerjob-layout-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := untar(archive, dir); err != nil {
		return err
	}
	outer, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return err
	}
	manifest, err := outer.IndexManifest()
	if err != nil {
		return err
	}
	if len(manifest.Manifests) != 1 {
		return fmt.Errorf("index.json has %d images, want one", len(manifest.Manifests))
	}
	described := manifest.Manifests[0]
	index, err := outer.ImageIndex(described.Digest)
	if err != nil {
		return err
	}
	tag, err := name.NewTag(to + ":" + described.Annotations["org.opencontainers.image.ref.name"])
	if err != nil {
		return err
	}
	if err := remote.WriteIndex(tag, index, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s@%s\n", tag, described.Digest)
	return err
}

// imageFor makes an image for one platform and loads it into docker, or writes it to a
// file.
func imageFor(ctx context.Context, s *source, p program, on platform, tag name.Tag, file string) (err error) {
	dir, err := os.MkdirTemp("", "peerjob-image-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	built := filepath.Join(dir, p.name)
	if err := s.build(ctx, p, on, built); err != nil {
		return err
	}
	binary, err := os.ReadFile(built)
	if err != nil {
		return err
	}
	// As in a release, where one list is for all platforms.
	report, err := thirdParty(ctx, s, p, p.platforms(allPlatforms))
	if err != nil {
		return err
	}
	licences, err := licenceFiles(s, p, report)
	if err != nil {
		return err
	}
	image, err := makeImage(s, p, on, binary, licences)
	if err != nil {
		return err
	}
	if file != "" {
		return tarball.WriteToFile(file, tag, image)
	}
	return dockerLoad(ctx, tag, image)
}

// dockerLoad loads an image into docker.
func dockerLoad(ctx context.Context, tag name.Tag, image v1.Image) error {
	var archive bytes.Buffer
	if err := tarball.Write(tag, image, &archive); err != nil {
		return err
	}
	command := exec.CommandContext(ctx, "docker", "load", "--quiet")
	command.Stdin = &archive
	_, err := output(command)
	return err
}

// dockerPlatform is what docker runs, which need not be what this machine is: docker may be
// in a virtual machine or elsewhere.
func dockerPlatform(ctx context.Context) (string, error) {
	out, err := output(exec.CommandContext(ctx, "docker", "version", "--format", "{{.Server.Os}}/{{.Server.Arch}}"))
	return strings.TrimSpace(out), err
}
