// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/peerjob/peerjob/conformance/programs"
)

// cniDir is where Debian's containernetworking-plugins puts the plugins.
const cniDir = "/usr/lib/cni"

// needed are the programs that come as Debian packages.
var needed = map[string]string{
	"runc":             "runc",
	"ip":               "iproute2",
	cniDir + "/bridge": "containernetworking-plugins",
	"ping":             "iputils-ping",
}

// Missing returns the Debian packages that a node needs and this machine has
// not.
func Missing() []string {
	var missing []string
	for program, pkg := range needed {
		if _, err := exec.LookPath(program); err != nil {
			missing = append(missing, pkg)
		}
	}
	slices.Sort(missing)
	return missing
}

// Programs builds what runs on the node, from the modules of the repository, and
// links it into a directory. The first time it takes minutes.
func Programs(ctx context.Context, repository, dir string) error {
	server := filepath.Join(repository, "conformance", "server")
	version, err := programs.Version(ctx, server)
	if err != nil {
		return err
	}
	const (
		containerdCommands = "github.com/containerd/containerd/v2/cmd/"
		// What Debian's kernel headers would be needed for, and the node does not use.
		containerdTags = "no_btrfs,no_zfs,no_devmapper"
	)
	kubernetes := []programs.Program{programs.Etcd}
	for _, name := range []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet"} {
		kubernetes = append(kubernetes, programs.Kubernetes(name, version))
	}
	var containerd []programs.Program
	for _, name := range []string{"containerd", "containerd-shim-runc-v2", "ctr"} {
		containerd = append(containerd, programs.Program{Name: name, Package: containerdCommands + name, Tags: containerdTags})
	}
	for module, programsOf := range map[string][]programs.Program{
		server: kubernetes,
		filepath.Join(repository, "e2e", "node", "containerd"): containerd,
		filepath.Join(repository, "e2e", "node", "coredns"):    {{Name: "coredns", Package: "."}},
	} {
		built, err := programs.Build(ctx, module, programsOf...)
		if err != nil {
			return err
		}
		for _, p := range programsOf {
			if err := os.Symlink(filepath.Join(built, p.Name), filepath.Join(dir, p.Name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Own builds a command of the repository itself, which is never cached.
func Own(ctx context.Context, module, pkg, file string, linkFlags ...string) error {
	flags := strings.Join(append([]string{"-s", "-w"}, linkFlags...), " ")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", flags, "-o", file, pkg)
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", pkg, err, out)
	}
	return nil
}
