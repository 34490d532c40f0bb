// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// Name is the node's name, PauseImage is what holds a Pod's namespaces open, and
// DNS is the address of the cluster's DNS server.
const (
	DNS        = address4
	Name       = "node-1"
	PauseImage = "e2e.peerjob.invalid/pause:1"
)

const (
	server          = "https://127.0.0.1:6443"
	certificates    = "certificates"
	certificateFile = "apiserver.crt"
	tokenFile       = "tokens.csv"
	keyFile         = "key.pem"
	kubeconfigFile  = "kubeconfig"
	corefile        = "Corefile"

	// The Pods' network. Every address of it but the first is a Pod's.
	bridge   = "peerjob0"
	address4 = "10.244.0.1"
	subnet4  = "10.244.0.0/23"
	address6 = "fd00:244::1"
	subnet6  = "fd00:244::/64"
)

// hasIPv6 reports whether the kernel has IPv6: then loopback has an address.
func hasIPv6() bool {
	addresses, err := os.ReadFile("/proc/net/if_inet6")
	return err == nil && len(addresses) > 0
}

// families is one value for each IP family that the node has.
func (n *Node) families(ipv4, ipv6 string) string {
	if n.IPv6 {
		return ipv4 + "," + ipv6
	}
	return ipv4
}

func (n *Node) socket() string { return filepath.Join(n.dir, "containerd.sock") }

// writeFiles writes the configuration of every program.
func (n *Node) writeFiles(context.Context) error {
	token := rand.Text()
	key, err := serviceAccountKey()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(n.dir, "cni"), 0o755); err != nil {
		return err
	}
	for name, content := range map[string]string{
		tokenFile:             token + `,admin,admin,"system:masters"` + "\n",
		keyFile:               key,
		kubeconfigFile:        n.kubeconfig(token),
		"containerd.toml":     n.containerdConfig(),
		"cni/bridge.conflist": n.cniConfig(),
		"kubelet.yaml":        n.kubeletConfig(),
		"resolv.conf":         "",
		corefile:              n.corefile(),
	} {
		if err := os.WriteFile(filepath.Join(n.dir, name), []byte(content), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// serviceAccountKey is the key without which no API server starts.
func serviceAccountKey() (string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})), nil
}

// trust is a client that takes the server's own certificate, and no other. The
// server writes it when it starts.
func (n *Node) trust() (*http.Client, error) {
	certificate, err := os.ReadFile(filepath.Join(n.dir, certificates, certificateFile))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(certificate)
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}, nil
}

func (n *Node) kubeconfig(token string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: e2e, cluster: {server: %q, certificate-authority: %q}}]
users: [{name: admin, user: {token: %q}}]
contexts: [{name: e2e, context: {cluster: e2e, user: admin}}]
current-context: e2e
`, server, filepath.Join(n.dir, certificates, certificateFile), token)
}

// containerdConfig: the processes' memory score may not be lowered in every
// container that runs a CI, and the Pods' network namespaces go with the sandbox.
func (n *Node) containerdConfig() string {
	return fmt.Sprintf(`version = 3
root = "%[1]s/containerd/root"
state = "%[1]s/containerd/state"
[grpc]
  address = %[2]q
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = %[3]q
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = [%[4]q]
  conf_dir = "%[1]s/cni"
`, n.dir, n.socket(), PauseImage, cniDir)
}

func (n *Node) cniConfig() string {
	ranges, routes := `[{"subnet":"`+subnet4+`"}]`, `{"dst":"0.0.0.0/0"}`
	if n.IPv6 {
		ranges += `,[{"subnet":"` + subnet6 + `"}]`
		routes += `,{"dst":"::/0"}`
	}
	return fmt.Sprintf(`{"cniVersion":"1.0.0","name":"e2e","plugins":[{"type":"bridge","bridge":%q,"isGateway":true,"ipMasq":false,
"ipam":{"type":"host-local","dataDir":%q,"ranges":[%s],"routes":[%s]}}]}
`, bridge, filepath.Join(n.dir, "cni-addresses"), ranges, routes)
}

// kubeletConfig: a small machine, on which nothing is evicted and no cgroup of
// the machine's own is touched.
func (n *Node) kubeletConfig() string {
	return fmt.Sprintf(`apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
cgroupDriver: cgroupfs
cgroupsPerQOS: false
enforceNodeAllocatable: []
failSwapOn: false
failCgroupV1: false
clusterDNS: [%[1]s]
clusterDomain: cluster.local
containerRuntimeEndpoint: unix://%[2]s
resolvConf: %[3]s/resolv.conf
serializeImagePulls: false
maxPods: 250
evictionHard: {memory.available: "0%%", nodefs.available: "0%%", nodefs.inodesFree: "0%%", imagefs.available: "0%%"}
`, address4, n.socket(), n.dir)
}

// corefile is kubeadm's, with a quick "no such name" for the world outside,
// which any resolver with a network gives.
func (n *Node) corefile() string {
	bind := strings.ReplaceAll(n.families(address4, address6), ",", " ")
	return fmt.Sprintf(`cluster.local:53 in-addr.arpa:53 ip6.arpa:53 {
    errors
    bind %[1]s
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        kubeconfig %[2]s
        pods insecure
        ttl 30
    }
}
.:53 {
    bind %[1]s
    template ANY ANY {
        rcode NXDOMAIN
    }
}
`, bind, n.Kubeconfig())
}
