// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

func TestNodeValues(t *testing.T) {
	const (
		medium  = "template.spec.volumes[0].emptyDir.medium: Invalid value: "
		unknown = ": the kubelet knows no such medium, and never mounts the volume; "
		name    = "template.spec.securityContext.sysctls[0].name: Invalid value: "
		node    = ": belongs to the node, not to a Pod, and no kubelet takes it (SysctlForbidden); leave it out, and set it on the nodes"
	)
	for spec, want := range map[string][]string{
		"volumes: [{emptyDir: {}}, {hostPath: {path: /a}}]": nil,
		"volumes: [{emptyDir: {medium: Memory}}]":           nil,
		"volumes: [{emptyDir: {medium: HugePages}}]":        nil,
		"volumes: [{emptyDir: {medium: HugePages-2Mi}}]":    nil,
		"volumes: [{emptyDir: {medium: memory}}]":           {medium + `"memory"` + unknown + "write Memory"},
		"volumes: [{emptyDir: {medium: ram}}]":              {medium + `"ram"` + unknown + "write Memory"},
		"volumes: [{emptyDir: {medium: Hugepages}}]":        {medium + `"Hugepages"` + unknown + "write HugePages"},
		"volumes: [{emptyDir: {medium: disk}}]":             {medium + `"disk"` + unknown + "leave it out for the disk of the node"},
		"volumes: [{emptyDir: {medium: HugePages-big}}]": {medium + `"HugePages-big"` + unknown +
			"write Memory, HugePages or HugePages-<size>, or leave it out for the disk of the node"},

		"securityContext: {sysctls: [{name: net.core.somaxconn, value: '1'}]}":                         nil, // a node may allow it
		"securityContext: {sysctls: [{name: net/ipv4/tcp_syncookies, value: '1'}]}":                    nil,
		"securityContext: {sysctls: [{name: kernel.shmmax, value: '1'}]}":                              nil,
		"securityContext: {sysctls: [{name: kernel.domainname, value: a}]}":                            nil,
		"securityContext: {sysctls: [{name: '', value: '1'}]}":                                         nil,
		"securityContext: {sysctls: [{name: vm.max_map_count, value: '1'}]}":                           {name + `"vm.max_map_count"` + node},
		"securityContext: {sysctls: [{name: kernel.shm_max, value: '1'}]}":                             {name + `"kernel.shm_max"` + node},
		"securityContext: {sysctls: [{name: user.max_user_namespaces, value: '1'}]}":                   {name + `"user.max_user_namespaces": belongs to a user namespace`},
		"hostUsers: false\nsecurityContext: {sysctls: [{name: user.max_user_namespaces, value: '1'}]}": nil,
	} {
		t.Run(spec, func(t *testing.T) {
			template := &corev1.PodTemplateSpec{}
			if err := yaml.UnmarshalStrict([]byte(spec), &template.Spec); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, err := range NodeValues(template, templatePath) {
				got = append(got, err.Error())
			}
			compare(t, got, want)
		})
	}
}

func TestCapabilities(t *testing.T) {
	for add, want := range map[string][]string{
		"[IPC_LOCK, ALL, sys_ptrace]": nil,
		"[CAP_IPC_LOCK]":              {`securityContext.capabilities.add[0]: containerd puts CAP_ before it, and knows no "CAP_CAP_IPC_LOCK"; write IPC_LOCK`},
		"[NET_RAW, IPCLOCK]":          {`securityContext.capabilities.add[1]: Linux has no capability "IPCLOCK", and the container starts as if it were not there; did you mean IPC_LOCK?`},
		"[RDMA]":                      {`securityContext.capabilities.add[0]: Linux has no capability "RDMA", and the container starts as if it were not there; leave it out`},
	} {
		compare(t, said(Capabilities(templateOf(t, "securityContext: {capabilities: {add: "+add+"}}"), templatePath)), want)
	}
}
