// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	appsv1 "k8s.io/api/apps/v1"
	sigsyaml "sigs.k8s.io/yaml"
)

// argoExample is the folder of the example of the plugin.
const argoExample = "examples/argo-cd-plugin"

// TestArgoPlugin builds the image of Argo CD's sidecar on one that has what the plugin
// needs of Argo CD's own, a shell and kustomize, and runs the command as Argo CD does.
func TestArgoPlugin(t *testing.T) {
	for _, tool := range []string{"docker", "kustomize"} {
		needsTool(t, tool)
	}
	const base, image = "peerjob-test/argocd:base", "peerjob-test/argocd:plugin"
	context := t.TempDir()
	// A shell that is one static program.
	if err := output("go", "build", "-modfile=tools/go.mod", "-o", filepath.Join(context, "sh"), "mvdan.cc/sh/v3/cmd/gosh"); err != nil {
		t.Fatal(err)
	}
	if err := copyTo(filepath.Join(context, "kustomize"), filepath.Join(repository(t), "bin", "tools", "kustomize")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(context, "Dockerfile"), []byte("FROM scratch\nCOPY sh /bin/sh\nCOPY kustomize /usr/local/bin/kustomize\nENV PATH=/usr/local/bin:/bin\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	docker(t, "build", "--quiet", "--tag", base, context)
	docker(t, "build", "--quiet", "--tag", image, "--build-arg", "ARGOCD="+base, filepath.Join(repository(t), argoExample))
	t.Cleanup(func() { docker(t, "image", "rm", "--force", image, base) })

	// The plugin is where Argo CD's server of plugins looks for it.
	container := strings.TrimSpace(docker(t, "create", image, "sh"))
	defer docker(t, "rm", container)
	docker(t, "cp", container+":/home/argocd/cmp-server/config/plugin.yaml", context)
	command := argoCommand(t, filepath.Join(context, "plugin.yaml"))

	want, err := os.ReadFile(filepath.Join(repository(t), argoExample, "expected.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	dir := copyOf(t, shown...)
	stdout, stderr, err := asArgo(t, image, dir, argoExample+"/app", command)
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	if diff := cmp.Diff(string(want), stdout); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	// A folder without a kustomization.
	if err := os.Remove(filepath.Join(dir, argoExample, "app", "kustomization.yaml")); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, err = asArgo(t, image, dir, argoExample+"/app", command)
	if err != nil || !strings.Contains(stdout, "kind: Job\n") {
		t.Errorf("%v\n%s%s", err, stdout, stderr)
	}

	// Mistakes of the PeerJob and of the kustomization are on stderr, which Argo CD shows.
	peerJob := filepath.Join(dir, argoExample, "app", "peerjob.yaml")
	text, err := os.ReadFile(peerJob)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(peerJob, bytes.Replace(text, []byte("peers: 4"), []byte("peers: 0"), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, err = asArgo(t, image, dir, argoExample+"/app", command)
	if err == nil || stdout != "" || !strings.Contains(stderr, "PeerJob train: spec.peers: Invalid value: 0: must be between 1 and 100000") {
		t.Errorf("%v\n%s%s", err, stdout, stderr)
	}
	if err := os.WriteFile(filepath.Join(dir, argoExample, "app", "kustomization.yaml"), []byte("resources: [missing.yaml]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, err = asArgo(t, image, dir, argoExample+"/app", command)
	if err == nil || stdout != "" || !strings.Contains(stderr, "missing.yaml") {
		t.Errorf("%v\n%s%s", err, stdout, stderr)
	}
}

// TestArgoPlugin_helm runs the command of the plugin on a chart with the real Helm, with a shell
// of this machine: it prints what the pipe prints that people type, and every mistake is on
// stderr.
func TestArgoPlugin_helm(t *testing.T) {
	needsTool(t, "helm")
	command := argoCommand(t, filepath.Join(repository(t), argoExample, "plugin.yaml"))
	chart := filepath.Join(copyOf(t, "examples"), "examples", "helm", "chart")
	run := func(helmArgs string, command ...string) (stdout, stderr string, err error) {
		t.Helper()
		var out, errs bytes.Buffer
		cmd := exec.CommandContext(t.Context(), "env", command...)
		cmd.Dir, cmd.Stdout, cmd.Stderr = chart, &out, &errs
		cmd.Env = append(os.Environ(), "PATH="+programs(t)+string(os.PathListSeparator)+filepath.Join(repository(t), "bin", "tools")+string(os.PathListSeparator)+os.Getenv("PATH"),
			"ARGOCD_APP_NAME=train", "ARGOCD_APP_NAMESPACE=ml", "ARGOCD_ENV_HELM_ARGS="+helmArgs)
		err = cmd.Run()
		return out.String(), errs.String(), err
	}
	for _, args := range []string{"", "--set peers=3 --no-hooks"} {
		want, _, err := run("", "sh", "-c", "helm template train . --namespace ml "+args+" | peerjob expand -")
		if err != nil || !strings.Contains(want, "kind: Job\n") {
			t.Fatalf("%v\n%s", err, want)
		}
		got, stderr, err := run(args, command...)
		// $(...) drops the empty line at the end.
		if diff := cmp.Diff(strings.TrimRight(want, "\n"), strings.TrimRight(got, "\n")); diff != "" || err != nil {
			t.Errorf("%q: %v\n%s(-want +got):\n%s", args, err, stderr, diff)
		}
	}
	for args, want := range map[string]string{"--set peers=0": "spec.peers: Invalid value: 0", "--values missing.yaml": "missing.yaml"} {
		if got, stderr, err := run(args, command...); err == nil || got != "" || !strings.Contains(stderr, want) {
			t.Errorf("%q: %v\n%s%s", args, err, got, stderr)
		}
	}
}

// TestArgoPlugin_bytes runs the command with programs that print a text: nothing of it is
// lost on the way to peerjob, and a program that fails fails the command.
func TestArgoPlugin_bytes(t *testing.T) {
	if err := buildPeerjob(); err != nil {
		t.Fatal(err)
	}
	command := argoCommand(t, filepath.Join(repository(t), argoExample, "plugin.yaml"))
	const want = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  text: |+\n    x\n\n\n"
	for program, file := range map[string]string{"kustomize": "kustomization.yaml", "helm": "Chart.yaml"} {
		dir, tools := t.TempDir(), t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, file), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, end := range []string{"", "; exit 3"} {
			script := "#!/bin/sh\ncat <<'END'\n" + want + "END\n:" + end + "\n"
			if err := os.WriteFile(filepath.Join(tools, program), []byte(script), 0o700); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "PATH="+tools+":"+programs(t)+":"+os.Getenv("PATH"), "ARGOCD_APP_NAME=train", "ARGOCD_APP_NAMESPACE=ml")
			got, err := cmd.Output()
			if (err != nil) != (end != "") {
				t.Errorf("%s%s: %v", program, end, err)
			}
			if diff := cmp.Diff(want, string(got)); diff != "" && end == "" {
				t.Errorf("%s (-want +got):\n%s", program, diff)
			}
		}
	}
}

// asArgo runs a command in a folder as Argo CD's server of plugins does.
func asArgo(t *testing.T, image, dir, folder string, command []string) (stdout, stderr string, err error) {
	t.Helper()
	const work = "/tmp/_cmp_server/00000000-0000-0000-0000-000000000000"
	args := []string{"run", "--rm", "--network", "none", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
		"--user", "999:999", "--tmpfs", "/tmp:mode=1777", "--volume", dir + ":" + work + ":ro", "--workdir", work + "/" + folder}
	for _, variable := range []string{"ARGOCD_APP_NAME=train", "ARGOCD_APP_NAMESPACE=ml", "ARGOCD_APP_PROJECT_NAME=default",
		"ARGOCD_APP_REVISION=0123456789abcdef0123456789abcdef01234567", "ARGOCD_APP_SOURCE_PATH=" + folder,
		"ARGOCD_APP_SOURCE_REPO_URL=https://git.example.com/team/jobs.git", "ARGOCD_APP_SOURCE_TARGET_REVISION=main",
		"ARGOCD_APP_PARAMETERS=[]", "KUBE_VERSION=1.37.2", "KUBE_API_VERSIONS=v1,batch/v1", "HOME=/home/argocd"} {
		args = append(args, "--env", variable)
	}
	args = append(args, "--entrypoint", command[0], image)
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "docker", append(args, command[1:]...)...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

func docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("docker", args...).CombinedOutput()
	if err != nil {
		t.Fatal(fmt.Errorf("docker %q: %w: %s", args, err, out))
	}
	return string(out)
}

// TestArgoManifests holds the patches for Argo CD's repo server to the API.
func TestArgoManifests(t *testing.T) {
	for _, folder := range []string{"examples/argo-cd", argoExample} {
		text, err := os.ReadFile(filepath.Join(repository(t), folder, "repo-server.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if err := sigsyaml.UnmarshalStrict(text, &appsv1.Deployment{}); err != nil {
			t.Errorf("%s: %v", folder, err)
		}
	}
}

// argoCommand is the command that a file of a plugin tells Argo CD to run.
func argoCommand(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var plugin struct {
		Spec struct {
			Generate struct{ Command, Args []string }
		}
	}
	if err := yaml.Unmarshal(text, &plugin); err != nil {
		t.Fatal(err)
	}
	return append(plugin.Spec.Generate.Command, plugin.Spec.Generate.Args...)
}
