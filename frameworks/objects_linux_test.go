// SPDX-License-Identifier: Apache-2.0

package frameworks

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/peerjob/peerjob/fn"
	"github.com/peerjob/peerjob/frameworks/pod"
)

// expand is what "peerjob expand" writes for a file.
func expand(t *testing.T, name string, content []byte) *pod.Objects {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if err := fn.Expand([]fn.File{{Name: name, Content: content}}, &stdout, &stderr, fn.ExpandOptions{}); err != nil {
		t.Fatalf("peerjob expand %s: %v\n%s", name, err, &stderr)
	}
	objects, err := pod.Decode(stdout.Bytes())
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, &stdout)
	}
	return objects
}

// buildPeerjob and buildRunner build a command, once, and return its path.
var (
	buildPeerjob = sync.OnceValues(func() (string, error) { return build("peerjob") })
	buildRunner  = sync.OnceValues(func() (string, error) { return build("peerjob-runner") })
)

func build(command string) (string, error) {
	path, err := filepath.Abs(filepath.Join("..", "bin", "frameworks", command))
	if err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-o", path, "../cmd/"+command)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", build, err, said)
	}
	return path, nil
}

// withRunner is an image in which a container without a command runs peerjob-runner, as
// in the image of the runner. No container of an example is without a command.
func withRunner(t *testing.T, image pod.Image) pod.Image {
	t.Helper()
	const path = "/runner/peerjob-runner"
	program, err := buildRunner()
	if err != nil {
		t.Fatal(err)
	}
	image.Entrypoint = []string{path}
	image.Files = append(slices.Clone(image.Files), pod.File{Path: path, Data: read(t, program), Mode: 0o755})
	return image
}

// rename is what kustomize makes of the objects of peerjob in a layer behind
// it, which adds a prefix and sets the namespace.
func rename(t *testing.T, peerJob []byte) *pod.Objects {
	t.Helper()
	program, err := buildPeerjob()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "kustomize"), os.DirFS("../kustomize")); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"inner/peerjob.yaml":       peerJob,
		"inner/function.yaml":      read(t, "testdata/function.yaml"),
		"inner/kustomization.yaml": []byte("resources: [peerjob.yaml]\ntransformers: [function.yaml]\n"),
		"kustomization.yaml":       []byte("namePrefix: prod-\nnamespace: ml\nresources: [inner]\ncomponents: [kustomize]\n"),
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var stdout, stderr bytes.Buffer
	kustomize := exec.Command("go", "tool", "-modfile=../tools/go.mod", "kustomize",
		"build", "--enable-alpha-plugins", "--enable-exec", dir)
	kustomize.Env = append(os.Environ(), "PATH="+filepath.Dir(program)+string(os.PathListSeparator)+os.Getenv("PATH"))
	kustomize.Stdout, kustomize.Stderr = &stdout, &stderr
	if err := kustomize.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", kustomize, err, &stderr)
	}
	objects, err := pod.Decode(stdout.Bytes())
	if err != nil {
		t.Fatalf("%v\n%s", err, &stdout)
	}
	return objects
}

// sshKeys is a Secret like the one that the examples ask the user for: a pair of
// keys made by ssh-keygen.
func sshKeys(t *testing.T, name string) *corev1.Secret {
	t.Helper()
	key := filepath.Join(t.TempDir(), "key")
	if said, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", key).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen: %v\n%s", err, said)
	}
	secret := &corev1.Secret{Data: map[string][]byte{}}
	secret.Name = name
	for field, file := range map[string]string{"ssh-privatekey": key, "ssh-publickey": key + ".pub"} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		secret.Data[field] = data
	}
	return secret
}

// read reads a file of this folder.
func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
