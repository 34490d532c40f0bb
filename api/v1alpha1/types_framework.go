// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import "k8s.io/apimachinery/pkg/util/intstr"

// Framework names the framework of distributed computing that the peers run.
// peerjob sets what the framework reads: variables, ports, files and commands. The
// values use the peers' variables, so they stay correct after a rename.
// spec.peerEnv must be Enabled.
type Framework struct {
	// type is the framework.
	// Required; a type that "peerjob frameworks" lists, such as Torchrun, OpenMPI
	// or Dask.
	Type string `json:"type,omitempty"`

	// port is the framework's main port. Its leader listens on it, or with TPU and
	// TensorFlow every peer. peerjob adds it to the Service.
	// 1 to 65535; the default is the framework's.
	Port *int32 `json:"port,omitempty"`

	// processesPerPeer is how many processes of the framework run in each Pod.
	// 1 to 1024; for Torchrun also "gpu" or "cpu", one for each that the Pod has, or
	// "auto"; only for frameworks that start several; default unset, which they read
	// as 1.
	ProcessesPerPeer *intstr.IntOrString `json:"processesPerPeer,omitempty"`

	// containers are the names of the containers that run the framework. Init
	// containers never do. A framework with a leader takes one. A role with one container
	// needs no name.
	// Default the only container; required if the Pod has several.
	Containers []string `json:"containers,omitempty"`

	// roles are the roles that run the framework, in the order of its ranks. With several,
	// the first one leads: its peer 0 is where all peers meet. A framework with a leader
	// (Dask, MPI, Ray, Spark) has the leader in the first role, with one peer, which runs
	// its container's command; the other roles run theirs, or the framework's worker. All
	// roles that are not listed get nothing of the framework. See docs/roles.md.
	// Default the only role; for TensorFlow the roles with the names of its tasks; for a
	// framework with a leader both roles if there are two and one of them has one peer: it
	// leads. Otherwise required in a PeerJob with roles.
	Roles []FrameworkRole `json:"roles,omitempty"`

	// leader is what the peer with index 0 runs, for frameworks with a leader
	// (Dask, MPI, Ray, Spark). The Job ends with it. The other peers run the
	// container's command and args, or the framework's worker if it has none.
	// Required with these frameworks, and refused with others, and if the leader has a
	// role of its own.
	Leader *FrameworkLeader `json:"leader,omitempty"`

	// elastic lets the peers form the group among themselves instead of by their
	// index, and form it again when a peer is lost (the c10d rendezvous).
	// Only for Torchrun; default unset: a static group of all peers.
	Elastic *FrameworkElastic `json:"elastic,omitempty"`

	// sshSecretName is the Secret with the key pair of the peers, under the keys
	// ssh-privatekey and ssh-publickey, in the PeerJob's namespace. peerjob does not
	// make keys.
	// Required with frameworks that start their processes through ssh (MPI), and
	// refused with others.
	SSHSecretName string `json:"sshSecretName,omitempty"`
}

// FrameworkRole is a role that runs the framework.
type FrameworkRole struct {
	// name is the name of the role.
	// Required.
	Name string `json:"name,omitempty"`

	// processesPerPeer is how many processes of the framework run in each Pod of the role,
	// as in spec.framework.processesPerPeer. The leader of MPI with a role of its own runs
	// none by default, and is no host; with 1 or more, it is one.
	// 0 to 1024; 0 only for such a leader; default spec.framework.processesPerPeer, and 0
	// for such a leader.
	ProcessesPerPeer *intstr.IntOrString `json:"processesPerPeer,omitempty"`
}

// FrameworkLeader is what the peer with index 0 runs.
type FrameworkLeader struct {
	// command is the program and its first arguments, as in core/v1. peerjob does
	// not know the entrypoint of the image, so you must write the command here.
	// Required.
	Command []string `json:"command,omitempty"`

	// args are further arguments, as in core/v1.
	// Default none.
	Args []string `json:"args,omitempty"`
}

// FrameworkElastic says how far the group may shrink, and how often it may form
// again.
type FrameworkElastic struct {
	// minPeers is the smallest number of peers that the group continues with.
	// 1 to peers; default peers.
	MinPeers *int32 `json:"minPeers,omitempty"`

	// maxRestarts is how often torchrun starts the processes again after a failure
	// or a change of the group.
	// 0 or more; default unset: torchrun uses 0.
	MaxRestarts *int32 `json:"maxRestarts,omitempty"`
}
