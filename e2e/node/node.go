// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/peerjob/peerjob/conformance/process"
)

// featureGates are those that are off by default and that the tests need.
const featureGates = "ContainerStopSignals=true"

// startTime is how long each part may take to be ready.
const startTime = 2 * time.Minute

// Node is a running cluster of one node.
type Node struct {
	dir, bin  string
	processes []*process.Process
	// IPv6 reports whether the Pods have an IPv6 address beside the other.
	IPv6 bool
}

// Kubeconfig is the file with which a client reaches the cluster as its
// administrator, from inside the sandbox.
func (n *Node) Kubeconfig() string { return Kubeconfig(n.dir) }

// Kubeconfig is that file of the node whose files are in a directory.
func Kubeconfig(dir string) string { return filepath.Join(dir, kubeconfigFile) }

// Start runs the cluster with the programs of one directory, with another one
// for its files, which must be empty. The images are archives that the node
// holds. Whoever calls it calls [Node.Stop].
func Start(ctx context.Context, bin, dir string, images []string) (*Node, error) {
	n := &Node{dir: dir, bin: bin, IPv6: hasIPv6()}
	for _, start := range []func(context.Context) error{
		n.writeFiles, n.controlPlane, n.network, n.containerd,
		func(ctx context.Context) error { return n.load(ctx, images) }, n.kubelet,
	} {
		if err := start(ctx); err != nil {
			n.Stop()
			return nil, err
		}
	}
	return n, nil
}

// Stop ends the Pods' containers and then the programs. What it can't end goes
// with the sandbox.
func (n *Node) Stop() {
	slices.Reverse(n.processes)
	isContainerd := func(p *process.Process) bool { return p.Name() == "containerd" }
	for _, p := range n.processes {
		if !isContainerd(p) {
			p.Stop()
		}
	}
	n.killContainers()
	for _, p := range n.processes {
		if isContainerd(p) {
			p.Interrupt(5 * time.Second)
		}
	}
	n.processes = nil
}

// run starts one of the programs.
func (n *Node) run(name string, args ...string) error {
	p, err := process.Start(n.dir, filepath.Join(n.bin, name), args...)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	n.processes = append(n.processes, p)
	return nil
}

func (n *Node) controlPlane(ctx context.Context) error {
	if err := n.run("etcd", "--data-dir=etcd", "--unsafe-no-fsync", "--log-level=error"); err != nil {
		return err
	}
	err := n.run("kube-apiserver", "--etcd-servers=http://127.0.0.1:2379",
		"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--secure-port=6443", "--endpoint-reconciler-type=none",
		"--cert-dir="+certificates, "--token-auth-file="+tokenFile, "--authorization-mode=RBAC",
		"--service-account-issuer=https://peerjob.invalid", "--service-account-key-file="+keyFile, "--service-account-signing-key-file="+keyFile,
		"--service-cluster-ip-range="+n.families("10.96.0.0/16", "fd00:96::/112"),
		"--allow-privileged=true",
		// Pods use no API, and need not wait for a ServiceAccount's token.
		"--disable-admission-plugins=ServiceAccount",
		// For lifecycle.stopSignal.
		"--feature-gates="+featureGates,
		// The node's name is in no DNS.
		"--kubelet-preferred-address-types=InternalIP")
	if err != nil {
		return err
	}
	if err := n.wait(ctx, "kube-apiserver", n.serverReady); err != nil {
		return err
	}
	kubeconfig := "--kubeconfig=" + kubeconfigFile
	if err := n.run("kube-scheduler", kubeconfig, "--leader-elect=false"); err != nil {
		return err
	}
	return n.run("kube-controller-manager", kubeconfig, "--leader-elect=false",
		"--service-account-private-key-file="+keyFile, "--root-ca-file="+filepath.Join(certificates, certificateFile),
		// The API server's own client has no such limits on a cluster of this size.
		"--kube-api-qps=200", "--kube-api-burst=400")
}

// serverReady says whether the server has made its certificate and is ready,
// and then writes the kubeconfig.
func (n *Node) serverReady(ctx context.Context) error {
	client, err := n.trust()
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server+"/readyz", nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("/readyz: %s", response.Status)
	}
	return nil
}

// network makes the bridge that the Pods are on. It has an address and a MAC
// address of its own from the start: the node and the DNS server listen there,
// and a bridge without one takes that of a Pod, which changes.
func (n *Node) network(context.Context) error {
	commands := []string{
		"link add " + bridge + " address 0a:58:0a:f4:00:01 type bridge",
		"addr add " + address4 + "/23 dev " + bridge,
	}
	if n.IPv6 {
		commands = append(commands, "-6 addr add "+address6+"/64 dev "+bridge+" nodad")
	}
	for _, command := range append(commands, "link set "+bridge+" up") {
		if out, err := exec.Command("ip", strings.Fields(command)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", command, err, out)
		}
	}
	return n.run("coredns", "-conf", corefile)
}

func (n *Node) containerd(ctx context.Context) error {
	if err := os.Setenv("PATH", n.bin+":"+os.Getenv("PATH")); err != nil {
		return err
	}
	if err := n.run("containerd", "-c", "containerd.toml"); err != nil {
		return err
	}
	return n.wait(ctx, "containerd", func(ctx context.Context) error {
		_, err := n.ctr(ctx, "version")
		return err
	})
}

func (n *Node) load(ctx context.Context, images []string) error {
	for _, archive := range images {
		if _, err := n.ctr(ctx, "images", "import", archive); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) kubelet(context.Context) error {
	return n.run("kubelet", "--feature-gates="+featureGates, "--kubeconfig="+kubeconfigFile, "--config=kubelet.yaml", "--root-dir="+filepath.Join(n.dir, "kubelet"),
		"--hostname-override="+Name, "--node-ip="+n.families(address4, address6))
}

// ctr asks containerd.
func (n *Node) ctr(ctx context.Context, args ...string) (string, error) {
	args = append([]string{"--address", n.socket(), "--namespace", "k8s.io"}, args...)
	out, err := exec.CommandContext(ctx, filepath.Join(n.bin, "ctr"), args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("ctr %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

func (n *Node) killContainers() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	tasks, err := n.ctr(ctx, "tasks", "ls", "--quiet")
	if err != nil {
		return
	}
	for _, task := range strings.Fields(tasks) {
		_, _ = n.ctr(ctx, "tasks", "delete", "--force", task)
	}
}

// wait returns when a program is ready, or an error when it has ended or takes
// too long.
func (n *Node) wait(ctx context.Context, name string, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		for _, p := range n.processes {
			if err := p.Ended(); err != nil {
				return err
			}
		}
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s did not get ready: %w\n%s", name, err, n.processes[len(n.processes)-1].LastLines())
		case <-time.After(100 * time.Millisecond):
		}
	}
}
