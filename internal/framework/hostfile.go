// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/peerjob/peerjob/api/v1alpha1"
)

// ConfigMap returns the ConfigMap with the file of all peers, with its name but
// without its other metadata; nil where the framework reads none. It is
// immutable, and its name changes with its content: a Pod that runs never sees
// another list than the one it started with.
func ConfigMap(pj *v1alpha1.PeerJob) *corev1.ConfigMap {
	s, ok := settingsOf(pj)
	if !ok || s.Hostfile == nil {
		return nil
	}
	content := s.hosts()
	return &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{Name: pj.PeersConfigMapName(content)},
		Immutable:  new(true),
		Data:       map[string]string{s.Hostfile.File: content},
	}
}

func (s settings) configMapName() string {
	return s.pj.PeersConfigMapName(s.hosts())
}

// hosts is the content of the hostfile.
func (s settings) hosts() string {
	var content strings.Builder
	for host := range s.pj.PeerNames() {
		content.WriteString(s.Hostfile.line(host, s))
		content.WriteByte('\n')
	}
	return content.String()
}
