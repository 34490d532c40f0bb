// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/peerjob/peerjob/internal/peerjob"
)

// ConfigMap returns the ConfigMap with the file of all peers, with its name but
// without its other metadata; nil where the framework reads none. It is
// immutable, and its name changes with its content: a Pod that runs never sees
// another list than the one it started with.
func ConfigMap(g *peerjob.Group) *corev1.ConfigMap {
	setups := setupsOf(g)
	if len(setups) == 0 || setups[0].Hostfile == nil {
		return nil
	}
	content := setups[0].hosts()
	return &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{Name: g.PeersConfigMapName(content)},
		Immutable:  new(true),
		Data:       map[string]string{setups[0].Hostfile.File: content},
	}
}

func (s setup) configMapName() string {
	return s.group.PeersConfigMapName(s.hosts())
}

// hosts is the content of the hostfile: the peers that compute, in the order of their
// ranks.
func (s setup) hosts() string {
	var content strings.Builder
	for _, role := range s.hostSetups() {
		for host := range role.group.PeerNames() {
			content.WriteString(s.Hostfile.line(host, role))
			content.WriteByte('\n')
		}
	}
	return content.String()
}
