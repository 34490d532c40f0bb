// SPDX-License-Identifier: Apache-2.0

package peerjob

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/rules"
)

// hashLength is the length of a hash in a name, in characters.
const hashLength = 10

// Hash is a hash for a name.
func Hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])[:hashLength]
}

// IsHash reports whether a text may be what [Hash] returns.
func IsHash(text string) bool {
	_, err := hex.DecodeString(text)
	return len(text) == hashLength && err == nil && text == strings.ToLower(text)
}

// ServiceName is the name of the headless Service, and the subdomain of the
// Pods.
func (g *Group) ServiceName() string {
	return cmp.Or(g.PeerJob.Spec.Service.Name, g.PeerJob.Name) + g.suffix
}

// ServiceNamePath is the field that the name of the Service comes from.
func (g *Group) ServiceNamePath() *field.Path {
	if g.PeerJob.Spec.Service.Name != "" {
		return servicePath.Child("name")
	}
	return NamePath
}

// PeersConfigMapName is the name of the ConfigMap with a file of all peers. It
// changes with what the file says, because the ConfigMap is immutable.
func (g *Group) PeersConfigMapName(content string) string {
	return g.PeerJob.Name + "-peers-" + Hash([]byte(content))
}

// PeerName is the name under which the peers of the same namespace reach the peer
// with this index.
func (g *Group) PeerName(index int32) string {
	return rules.PeerName(g.JobName, g.ServiceName(), index)
}

// LastIndex is the index of the last peer, whose names are the longest.
func (g *Group) LastIndex() int32 { return max(g.Peers(), 1) - 1 }

// PeerNames are the [Group.PeerName] of all peers, by their index, and of no more
// than v1alpha1.MaxPeers.
func (g *Group) PeerNames() iter.Seq[string] {
	return func(yield func(string) bool) {
		before, after := g.JobName+"-", "."+g.ServiceName()
		for i := range min(g.Peers(), v1alpha1.MaxPeers) {
			if !yield(before + strconv.Itoa(int(i)) + after) {
				return
			}
		}
	}
}

// SearchDomain is the domain in which Pods of the given namespace look up a
// [Group.PeerName].
func (g *Group) SearchDomain(namespace string) string {
	return rules.SearchDomain(namespace, g.PeerJob.Spec.ClusterDomain)
}

// SelectorLabels select the Pods of all roles. The Job controller puts the label with the
// name of the Job on them; that of several Jobs is in their Pod templates.
func (g *Group) SelectorLabels() map[string]string {
	if g.HasRoles() {
		return map[string]string{v1alpha1.GroupLabel: g.ServiceName()}
	}
	return map[string]string{v1alpha1.NameLabel: g.JobName}
}
