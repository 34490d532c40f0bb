// SPDX-License-Identifier: Apache-2.0

package framework_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/peerjob/peerjob/internal/framework"
)

// TestValidate has what each framework can't work with, and the whole error.
func TestValidate(t *testing.T) {
	const container = "template: {spec: {containers: [{name: w, image: x}]}}"
	for name, tt := range map[string]struct {
		spec string
		want []string
	}{
		"no framework":  {"peers: 3, " + container, nil},
		"one":           {"peers: 3, framework: {type: Torchrun}, " + container, nil},
		"no type":       {"peers: 3, framework: {}, " + container, []string{`spec.framework.type: Required value: one of the types that "peerjob frameworks" lists`}},
		"no peers' env": {"peers: 3, peerEnv: Disabled, framework: {type: Torchrun}, " + container, []string{`spec.peerEnv: Invalid value: "Disabled": what Torchrun reads is built from the peers' variables; leave it out`}},

		"a port":              {"peers: 3, framework: {type: Torchrun, port: 70000}, " + container, []string{"spec.framework.port: Invalid value: 70000: must be between 1 and 65535, inclusive"}},
		"processes, none":     {"peers: 3, framework: {type: Torchrun, processesPerPeer: 0}, " + container, []string{"spec.framework.processesPerPeer: Invalid value: 0: must be between 1 and 1024"}},
		"processes, one only": {"peers: 3, framework: {type: Dask, leader: {command: [a]}, processesPerPeer: 1}, " + container, nil},
		"leader, none":        {"peers: 3, framework: {type: Dask}, " + container, []string{"spec.framework.leader.command: Required value: index 0 runs it, and the Job ends when it ends"}},
		"leader, in the container": {"peers: 3, framework: {type: Dask}, template: {spec: {containers: [{name: w, image: x, command: [python, a.py]}]}}",
			[]string{"spec.framework.leader.command: Required value: index 0 runs it, and the Job ends when it ends; if spec.template.spec.containers[0].command is the command of the leader, move it here"}},
		"leader, elsewhere": {"peers: 3, framework: {type: Torchrun, leader: {command: [a]}}, " + container, []string{"spec.framework.leader: Forbidden: all peers of Torchrun run the container's command; leave it out"}},
		"ssh, no Secret": {"peers: 3, framework: {type: OpenMPI, leader: {command: [a]}}, " + container,
			[]string{"spec.framework.sshSecretName: Required value: OpenMPI starts its processes through ssh: make a key pair with ssh-keygen, and a Secret of it with the keys ssh-privatekey and ssh-publickey"}},
		"ssh, elsewhere": {"peers: 3, framework: {type: JAX, sshSecretName: s}, " + container, []string{"spec.framework.sshSecretName: Forbidden: JAX does not use ssh; leave it out"}},
		"ssh, no group of the user": {"peers: 3, framework: {type: OpenMPI, sshSecretName: s, leader: {command: [a]}}, template: {spec: {containers: [{name: w, image: x, securityContext: {runAsUser: 1000}}]}}",
			[]string{`spec.template.spec.securityContext.fsGroup: Required value: container "w" does not run as root, and could not read the keys of the Secret "s"; set it to the user's group`}},
		"several containers": {"peers: 3, framework: {type: Torchrun}, template: {spec: {containers: [{name: w, image: x}, {name: v, image: x}]}}",
			[]string{`spec.framework.containers: Required value: the Pod has several containers; name those that run Torchrun, of w and v`}},
		"containers, odd": {"peers: 3, framework: {type: Torchrun, containers: [w, w, z]}, " + container,
			[]string{`spec.framework.containers[1]: Duplicate value: "w"`, `spec.framework.containers[2]: Unsupported value: "z": supported values: "w"`}},
		"a port of the runner's": {"peers: 3, barrier: {start: Enabled}, runner: {port: 29400}, framework: {type: Torchrun, port: 29400}, " + container,
			[]string{`spec.runner.port: Invalid value: 29400: is the port "tcp-rendezvous" of spec.framework (Torchrun), 29400; remove it, or choose another`}},
		"a port of another container": {"peers: 3, framework: {type: Torchrun, port: 29400, containers: [w]}, template: {spec: {containers: [{name: w, image: x}, {name: v, image: x, ports: [{containerPort: 29400}]}]}}",
			[]string{`spec.template.spec.containers[1].ports[0].containerPort: Invalid value: 29400: is the port "tcp-rendezvous" of spec.framework (Torchrun), 29400; remove it, or choose another`}},
		"a port with another name": {"peers: 3, service: {ports: [{name: web, port: 29400}]}, framework: {type: Torchrun, port: 29400}, " + container,
			[]string{`spec.service.ports[0].name: Invalid value: "web": is the port "tcp-rendezvous" of spec.framework (Torchrun), 29400; remove it, or choose another`}},
		"a variable": {"peers: 3, framework: {type: Torchrun}, template: {spec: {containers: [{name: w, image: x, env: [{name: PET_NNODES, value: '2'}]}]}}",
			[]string{`spec.template.spec.containers[0].env[0].name: Invalid value: "PET_NNODES": is set by spec.framework (Torchrun); remove one of the two`}},
		"variables that say the same": {"peers: 3, framework: {type: PyTorch}, template: {spec: {containers: [{name: w, image: x, env: [{name: WORLD_SIZE, value: '3'}, {name: MASTER_PORT, value: '29500'}, " +
			"{name: RANK, valueFrom: {fieldRef: {fieldPath: \"metadata.annotations['batch.kubernetes.io/job-completion-index']\"}}}]}]}}", nil},
		"a size by the peers' variable": {"peers: 3, framework: {type: JAX}, template: {spec: {containers: [{name: w, image: x, env: [{name: JAX_NUM_PROCESSES, value: $(PEERJOB_SIZE)}]}]}}", nil},
		"a leader that is written out": {"peers: 3, framework: {type: PyTorch}, template: {spec: {containers: [{name: w, image: x, env: [{name: MASTER_ADDR, value: train-0.train}]}]}}",
			[]string{`spec.template.spec.containers[0].env[0].name: Invalid value: "MASTER_ADDR": is set by spec.framework (PyTorch); remove one of the two`}},
		"the rank from another field": {"peers: 3, framework: {type: PyTorch}, template: {spec: {containers: [{name: w, image: x, env: [{name: RANK, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]}]}}",
			[]string{`spec.template.spec.containers[0].env[0].name: Invalid value: "RANK": is set by spec.framework (PyTorch); remove one of the two`}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, err := range framework.Validate(parse(t, "metadata: {name: train}\nspec: {"+tt.spec+"}")) {
				got = append(got, err.Error())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
