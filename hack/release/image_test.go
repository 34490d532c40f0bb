// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// pushed pushes the release to a registry in this process, and returns what push printed
// for each program: the reference with its digest.
func pushed(t *testing.T) map[string]name.Digest {
	t.Helper()
	_, dist := testRelease(t)
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	var stdout bytes.Buffer
	if err := push(t.Context(), dist, strings.TrimPrefix(server.URL, "http://")+"/peerjob", &stdout); err != nil {
		t.Fatal(err)
	}
	references := map[string]name.Digest{}
	for i, line := range strings.Split(strings.TrimSpace(stdout.String()), "\n") {
		digest, err := name.NewDigest(line)
		if err != nil {
			t.Fatal(err)
		}
		references[programs[i].name] = digest
	}
	return references
}

// TestImages_registry pulls what was pushed and looks into it.
func TestImages_registry(t *testing.T) {
	s, dist := testRelease(t)
	references := pushed(t)
	for _, p := range programs {
		reference := references[p.name]
		index, err := remote.Index(reference)
		if err != nil {
			t.Fatal(err)
		}
		tagged, err := remote.Head(reference.Context().Tag(s.version))
		if err != nil {
			t.Fatal(err)
		}
		if tagged.Digest.String() != reference.DigestStr() {
			t.Errorf("%s: the tag %s is %s, and push printed %s", p.name, s.version, tagged.Digest, reference.DigestStr())
		}
		manifest, err := index.IndexManifest()
		if err != nil {
			t.Fatal(err)
		}
		if manifest.MediaType != types.OCIImageIndex || manifest.Annotations["org.opencontainers.image.version"] != s.version {
			t.Errorf("%s: has the media type %s and the annotations %v", p.name, manifest.MediaType, manifest.Annotations)
		}
		var platforms []platform
		for _, described := range manifest.Manifests {
			on := platform{described.Platform.OS, described.Platform.Architecture}
			platforms = append(platforms, on)
			image, err := index.Image(described.Digest)
			if err != nil {
				t.Fatal(err)
			}
			t.Run(fmt.Sprint(p.name, " ", on), func(t *testing.T) { lookInto(t, s, dist, p, on, image) })
		}
		if diff := cmp.Diff(linuxOf(testedPlatforms(t)), platforms, cmp.AllowUnexported(platform{})); diff != "" {
			t.Errorf("%s: %s", p.name, diff)
		}
	}
}

// lookInto checks the image of one platform.
func lookInto(t *testing.T, s *source, dist string, p program, on platform, image v1.Image) {
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	want := v1.Config{
		Entrypoint: []string{p.imagePath},
		User:       "65534:65534",
		Labels: map[string]string{
			"org.opencontainers.image.title":         p.title,
			"org.opencontainers.image.description":   p.description,
			"org.opencontainers.image.source":        "https://github.com/peerjob/peerjob",
			"org.opencontainers.image.documentation": "https://github.com/peerjob/peerjob/blob/main/docs/README.md",
			"org.opencontainers.image.version":       s.version,
			"org.opencontainers.image.licenses":      "Apache-2.0",
			"org.opencontainers.image.created":       s.time.Format("2006-01-02T15:04:05Z"),
			"org.opencontainers.image.revision":      s.revision,
		},
	}
	if diff := cmp.Diff(want, config.Config); diff != "" {
		t.Error(diff)
	}
	if config.OS != on.os || config.Architecture != on.arch || !config.Created.Equal(s.time) {
		t.Errorf("is of %s/%s and %v", config.OS, config.Architecture, config.Created)
	}
	files := filesOf(t, image)
	shipped := unpack(t, filepath.Join(dist, s.base(p, on)+".tar.gz"))
	for path, content := range map[string][]byte{
		p.imagePath:                   shipped[p.name].content,
		"/etc/passwd":                 read(t, filepath.Join(root, "build", "passwd")),
		"/licenses/LICENSE":           shipped["LICENSE"].content,
		"/licenses/" + thirdPartyFile: shipped[thirdPartyFile].content,
	} {
		if !bytes.Equal(files[strings.TrimPrefix(path, "/")], content) {
			t.Errorf("%s is not that of the archive", path)
		}
		delete(files, strings.TrimPrefix(path, "/"))
	}
	for path := range files {
		t.Errorf("%s is in the image", path)
	}
}

// filesOf returns the regular files of an image.
func filesOf(t *testing.T, image v1.Image) map[string][]byte {
	t.Helper()
	extracted := mutate.Extract(image)
	defer func() {
		if err := extracted.Close(); err != nil {
			t.Error(err)
		}
	}()
	files := map[string][]byte{}
	for r := tar.NewReader(extracted); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		if files[header.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

// restricted is how kustomize and kpt run a function, and more: the least that a container
// can have.
var restricted = []string{"run", "--rm", "-i", "--network", "none", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"}

// TestImages_docker has docker pull the images from the registry, by digest, and run them.
func TestImages_docker(t *testing.T) {
	needsDocker(t)
	s, _ := testRelease(t)
	references := pushed(t)
	for _, p := range programs {
		reference := references[p.name].String()
		command(t, nil, "docker", "pull", "--quiet", reference)
		removeImage(t, reference)
		got := command(t, nil, "docker", append(slices.Clone(restricted), reference, "version")...)
		if want := fmt.Sprintf("%s %s ", p.name, s.version); !strings.HasPrefix(got, want) {
			t.Errorf("%s prints %q, want %q", reference, got, want)
		}
	}
	runFunction(t, references["peerjob"].String())
}

// runFunction runs the function in an image, as kustomize and kpt do.
func runFunction(t *testing.T, image string) {
	t.Helper()
	list := read(t, filepath.Join(root, "testdata", "resourcelist.yaml"))
	want := command(t, list, "go", "-C", root, "run", "./cmd/peerjob")
	for _, user := range []string{"", "nobody", "1000:1000"} {
		args := slices.Clone(restricted)
		if user != "" {
			args = append(args, "--user", user)
		}
		if diff := cmp.Diff(want, command(t, list, "docker", append(args, image)...)); diff != "" {
			t.Errorf("with the user %q: %s", user, diff)
		}
	}
}

// TestImages_load has docker load the archives in dist/, as somebody without a registry does.
func TestImages_load(t *testing.T) {
	needsDocker(t)
	s, dist := testRelease(t)
	for _, p := range programs {
		command(t, nil, "docker", "load", "--quiet", "--input", filepath.Join(dist, s.imageArchive(p)))
		for _, on := range linuxOf(testedPlatforms(t)) {
			reference := fmt.Sprintf("%s/%s:%s-%s", repository, p.image, s.version, on.arch)
			removeImage(t, reference)
			got := command(t, nil, "docker", "image", "inspect", "--format", "{{.Os}}/{{.Architecture}} {{.Config.User}}", reference)
			if want := fmt.Sprintf("%v %s\n", on, user); got != want {
				t.Errorf("%s is %q, want %q", reference, got, want)
			}
		}
		reference := fmt.Sprintf("%s/%s:%s-%s", repository, p.image, s.version, runtime.GOARCH)
		if got := command(t, nil, "docker", append(slices.Clone(restricted), reference, "version")...); !strings.HasPrefix(got, p.name+" "+s.version) {
			t.Errorf("%s prints %q", reference, got)
		}
	}
}

// TestRunImage makes the image as "make runner-image" does, for another machine and for
// docker. The version may be any, and the tag, too.
func TestRunImage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "image.tar")
	var stdout bytes.Buffer
	args := []string{"image", "peerjob-runner", "-tag", "registry.example.com/team/runner:mine", "-version", "v0.0.1-dev", "-platform", "linux/arm64", "-output", file}
	if err := run(t.Context(), args, &stdout); err != nil {
		t.Fatal(err)
	}
	if got, want := stdout.String(), "registry.example.com/team/runner:mine\n"; got != want {
		t.Errorf("prints %q, want %q", got, want)
	}
	files := unpack(t, file)
	var manifest []struct {
		Config   string
		RepoTags []string
	}
	if err := json.Unmarshal(files["manifest.json"].content, &manifest); err != nil {
		t.Fatal(err)
	}
	if len(manifest) != 1 || !slices.Equal(manifest[0].RepoTags, []string{"registry.example.com/team/runner:mine"}) {
		t.Fatalf("the archive has %v", manifest)
	}
	config, err := v1.ParseConfigFile(bytes.NewReader(files[manifest[0].Config].content))
	if err != nil {
		t.Fatal(err)
	}
	if config.Architecture != "arm64" || config.Config.Labels["org.opencontainers.image.version"] != "v0.0.1-dev" {
		t.Errorf("the image is for %s and has the labels %v", config.Architecture, config.Config.Labels)
	}
}

func TestRunImage_wrong(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"image", "image needs the name of a program: peerjob or peerjob-runner"},
		{"image runner -tag a:b", `unknown program "runner"; must be one of ["peerjob" "peerjob-runner"]`},
		{"image peerjob", "-tag: a repository name must be specified"},
		{"image peerjob -tag a:b -platform windows/amd64 -output x", `-platform: Invalid value: "windows/amd64": must be one platform of linux`},
		{"image peerjob -tag a:b -platform linux/amd64,linux/arm64 -output x", `-platform: Invalid value: "linux/amd64,linux/arm64": must be one platform of linux`},
		{"image peerjob -tag a:b -platform linux/mips -output x", `platform: Unsupported value: "linux/mips": must be one of [darwin/amd64`},
		{"image peerjob -tag a:b -version latest -output x", `version: Invalid value: "latest": must be a semantic version such as v0.1.0`},
		{"images", `unknown command "images"; must be image, push, check, notes or none`},
		{"push dist", "needs the folder and the repository, such as: push dist ghcr.io/peerjob"},
		{"-platforms linux/amd64,linux/amd64", `platform: Duplicate value: "linux/amd64"`},
	} {
		err := run(t.Context(), strings.Fields(test.args), io.Discard)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("release %s: %v, want %q", test.args, err, test.want)
		}
	}
}

// TestPush_damaged pushes nothing of a release whose files have changed.
func TestPush_damaged(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, sumsFile), []byte(sumOf(nil)+"  missing\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := push(t.Context(), dir, "127.0.0.1:1/peerjob", io.Discard); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Error(err)
	}
}

// TestDockerfile builds the Dockerfile with the program of the release, and compares the image
// with the released one: what runs, as whom, and what it says of itself.
func TestDockerfile(t *testing.T) {
	needsDocker(t)
	s, dist := testRelease(t)
	p, on := programs[0], platform{"linux", runtime.GOARCH}
	files := unpack(t, filepath.Join(dist, s.base(p, on)+".tar.gz"))
	dir := t.TempDir()
	for name, content := range map[string][]byte{
		"Dockerfile":        read(t, filepath.Join(root, "Dockerfile")),
		".dockerignore":     read(t, filepath.Join(root, ".dockerignore")),
		"build/passwd":      read(t, filepath.Join(root, "build", "passwd")),
		"bin/image/peerjob": files[p.name].content,
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		mode := os.FileMode(0o644)
		if filepath.Base(name) == p.name {
			mode = 0o755
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, mode); err != nil {
			t.Fatal(err)
		}
	}
	image := strings.TrimSpace(command(t, nil, "docker", "build", "--quiet", "--build-arg", "VERSION="+s.version, dir))
	removeImage(t, image)
	var got struct {
		Entrypoint []string
		User       string
		Labels     map[string]string
	}
	if err := json.Unmarshal([]byte(command(t, nil, "docker", "image", "inspect", "--format", "{{json .Config}}", image)), &got); err != nil {
		t.Fatal(err)
	}
	want := labels(s, p)
	// A Dockerfile can't know them.
	delete(want, "org.opencontainers.image.created")
	delete(want, "org.opencontainers.image.revision")
	if diff := cmp.Diff(want, got.Labels); diff != "" {
		t.Error(diff)
	}
	if got.User != user || !slices.Equal(got.Entrypoint, []string{p.imagePath}) {
		t.Errorf("runs %q as %q", got.Entrypoint, got.User)
	}
	runFunction(t, image)
}
