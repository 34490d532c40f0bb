// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/peerjob/peerjob/e2e/render"
)

var frameworks = flag.Bool("frameworks", false, "also run real frameworks, from Debian packages of this machine: an image of a gigabyte")

// frameworksImage holds the packages that the frameworks' examples need.
const frameworksImage = "e2e.peerjob.invalid/frameworks:1"

var frameworkPackages = []string{"bash", "dash", "coreutils", "sed", "libc-bin", "hostname", "procps", "python3", "python3-torch", "python3-mpi4py", "openmpi-bin", "openssh-server", "openssh-client"}

// TestFrameworks runs examples of examples/frameworks with the real programs.
// Each checks its own sum; the logs must have it from every process.
func TestFrameworks(t *testing.T) {
	if !*frameworks {
		t.Skip("run with -frameworks, on a machine with the Debian packages " + strings.Join(frameworkPackages, " "))
	}
	for _, test := range []struct {
		name string
		// env is what this version of the framework needs, beside the example.
		env map[string]string
		// prepare makes what the example's README has the user make.
		prepare func(t *testing.T, namespace string)
		ranks   int
	}{
		// torchrun 1.13 can't read its own defaults of these two on Python 3.11.
		{name: "torchrun", env: map[string]string{"PET_REDIRECTS": "9:1", "PET_TEE": "9:1"}, ranks: 6},
		{name: "openmpi", prepare: sshKeys, ranks: 6},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ns := newNamespace(t, nil)
			if test.prepare != nil {
				test.prepare(t, ns)
			}
			manifest := build(t, ns, render.Layer{Files: map[string]string{"peerjob.yaml": example(t, test.name, test.env)}})
			if err := kubernetes.Apply(interrupted, ns, manifest); err != nil {
				t.Fatal(err)
			}
			job := jobOf(t, manifest)
			end, err := kubernetes.WaitForEnd(within(t, patience*2), ns, job.Name)
			if err != nil || !end.Complete {
				t.Fatalf("the Job ended with %+v: %v", end, err)
			}
			checkRanks(t, job, test.ranks)
		})
	}
}

// checkRanks holds the logs to the right sum from each rank.
func checkRanks(t *testing.T, job *batchv1.Job, ranks int) {
	t.Helper()
	var all strings.Builder
	for _, pod := range podsOf(t, job) {
		log, err := kubernetes.Logs(interrupted, &pod, pod.Spec.Containers[0].Name)
		if err != nil {
			t.Logf("%s: %v", pod.Name, err)
		}
		all.WriteString(log)
	}
	t.Logf("\n%s", all.String())
	for rank := range ranks {
		begin, end := fmt.Sprintf("rank %d of %d", rank, ranks), fmt.Sprintf("the sum is %d", ranks*(ranks+1)/2)
		found := false
		for line := range strings.Lines(all.String()) {
			found = found || strings.Contains(line, begin) && strings.HasSuffix(strings.TrimSpace(line), end)
		}
		if !found {
			t.Errorf("no line %q … %q", begin, end)
		}
	}
}

// example is a framework's example with the image of this machine's packages.
func example(t *testing.T, name string, env map[string]string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, "examples", "frameworks", name, "peerjob.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	type object = map[string]any
	var peerJob object
	if err := yaml.Unmarshal(text, &peerJob); err != nil {
		t.Fatal(err)
	}
	for _, c := range peerJob["spec"].(object)["template"].(object)["spec"].(object)["containers"].([]any) {
		container := c.(object)
		container["image"] = frameworksImage
		variables, _ := container["env"].([]any)
		for name, value := range env {
			variables = append(variables, object{"name": name, "value": value})
		}
		if variables != nil {
			container["env"] = variables
		}
	}
	out, err := yaml.Marshal(peerJob)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// sshKeys makes the Secret of the OpenMPI example, as its README does.
func sshKeys(t *testing.T, namespace string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "id")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen: %v: %s", err, out)
	}
	data := map[string][]byte{}
	for key, file := range map[string]string{corev1.SSHAuthPrivateKey: file, "ssh-publickey": file + ".pub"} {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		data[key] = content
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "sum-ssh"}, Type: corev1.SecretTypeSSHAuth, Data: data}
	if _, err := kubernetes.CoreV1().Secrets(namespace).Create(interrupted, secret, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}
