// SPDX-License-Identifier: Apache-2.0

// Command frameworks writes docs/frameworks.md from the table of frameworks:
// what is wired is what the user reads.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/peerjob/peerjob/examples/frameworks"
	"github.com/peerjob/peerjob/internal/framework"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("frameworks: ")
	out := flag.String("out", "", "the `FILE` to write")
	flag.Parse()
	if err := os.WriteFile(*out, []byte(page()), 0o644); err != nil {
		log.Fatal(err)
	}
}

const head = `<!-- Written by "make generate" from internal/framework/table.go; change it there. -->

# Frameworks

One line wires one framework of distributed computing:

` + "```yaml" + `
spec:
  peers: 3
  framework:
    type: Torchrun
` + "```" + `

peerjob sets the variables that the framework reads. They come after the peers' own variables
and before yours, so you can use ` + "`" + `$(MASTER_ADDR)` + "`" + ` and the others in your variables and in ` + "`" + `args` + "`" + `.
peerjob also adds the framework's ports to the Service, mounts the files that it reads, and
starts its leader and its workers. ` + "`" + `peerjob frameworks` + "`" + ` lists the types, and
` + "`" + `peerjob frameworks torchrun` + "`" + ` prints a PeerJob to start from. See also
[all fields](reference.md#framework) and [how to add a framework](adding-a-framework.md).

## What applies to all frameworks

- **Names survive renames.** peerjob builds the values from the peers' variables
  (` + "`" + `$(PEERJOB_LEADER)` + "`" + `), and the kubelet fills these in when the Pod starts. If a framework
  reads a file of all hosts, a ConfigMap has the names at the time when peerjob runs. Before an
  MPI leader starts, its script writes the current names into the file. So a prefix that a later
  layer adds is correct too.
- **The container**: by default, peerjob configures the only container. If the Pod has several,
  list yours in ` + "`" + `containers` + "`" + `. peerjob does not guess: the first container is often a sidecar, and
  a framework in the wrong container fails only at run time. Init containers never run it.
- **Names of the framework are reserved.** peerjob refuses your variable, port, volume or path
  if the framework uses its name, and the error has both names. Variables marked *yours wins*
  are only defaults.
- **The ConfigMap** has the name ` + "`" + `<name>-peers-<hash>` + "`" + `, with a hash of its content, and is
  immutable. A changed PeerJob makes a new one. peerjob removes the old one from the output, as
  it removes every stale object.
- **Size**: a variable with all peers can have 131071 bytes, a limit of Linux, and a ConfigMap
  1 MiB. If a PeerJob exceeds that, peerjob refuses it and says how many peers fit.

## Frameworks with a leader

Index 0 runs ` + "`" + `spec.framework.leader` + "`" + `. The other peers run the container's ` + "`" + `command` + "`" + ` and ` + "`" + `args` + "`" + `, or
the framework's own worker if the container has no command. All Pods of a Job have one template,
so a few lines of ` + "`" + `/bin/sh` + "`" + ` choose by the index. Your command is never part of that script. It is
in ` + "`" + `args` + "`" + `, so no quote can break the script, and the kubelet expands ` + "`" + `$(NAME)` + "`" + ` as usual.

- The Job **succeeds** with index 0 (` + "`" + `successPolicy` + "`" + `, on by default from Kubernetes 1.31), and
  Kubernetes stops the workers, which never end by themselves. With an older
  ` + "`" + `spec.kubernetesVersion` + "`" + `, peerjob refuses the PeerJob, because the Job would wait for its workers.
- The Job **fails** with index 0, after ` + "`" + `backoffLimit` + "`" + ` failures of all Pods (6 by default). With
  ` + "`" + `backoffLimitPerIndex` + "`" + `, you must set ` + "`" + `maxFailedIndexes: 0` + "`" + `. Otherwise the Job would wait for the
  workers.
- If a framework's own **worker ends** too early, its script starts it again in its Pod after one
  second, whatever its exit code: its leader may not run yet, or may be on its second try. Only
  a missing program (126, 127) fails the Pod. peerjob does not restart a worker's command of
  your own, and warns of a ` + "`processesPerPeer`" + ` that only the framework's own worker would read.
- peerjob warns if your command **starts what its script starts**: ` + "`ray start`, `dask scheduler`" + `
  or a master of Spark in the leader, a second server or an ` + "`sshd`" + ` of its own in a worker.
- peerjob also warns if a **number in your command contradicts** ` + "`spec.framework`" + `: ` + "`mpirun -n 8`" + ` of Open MPI with six
  slots, ` + "`--nproc-per-node=4`" + ` with another ` + "`processesPerPeer`" + `, or ` + "`--nnodes=2:3`" + ` without the same ` + "`elastic`" + `.
- The script needs ` + "`/bin/sh`" + `, so Pods for Windows are an error.
- Set ` + "`" + `activeDeadlineSeconds` + "`" + ` if a leader could wait forever for workers that find no node.

## With roles

In a PeerJob with [roles](roles.md), the roles that run the framework are:

- the only role;
- for TensorFlow, those with the names of its tasks: ` + "`chief`, `worker`, `ps`, `evaluator`" + `. peerjob warns of other
  names, unless ` + "`framework.roles`" + ` says which roles run it;
- for a framework with a leader, both of two roles if one of them has one peer, and the other more;
- in every other case, those that you name in ` + "`framework.roles`" + `. peerjob does not guess.

**Which one leads**: by default the role with one peer, wherever it stands in ` + "`spec.roles`" + `. With
` + "`framework.roles`" + `, the first one there, and it must have one peer.

A role that does not run it gets nothing of it: no variables, no script, no files. Every section below says
what the framework does with several roles, and [roles](roles.md#frameworks) has examples.

A leader with a role of its own runs the command of its container, and ` + "`framework.leader`" + ` is refused. The
group ends with ` + "`successRoles`" + ` in place of a ` + "`successPolicy`" + `, and needs the [runner](runner.md#roles). peerjob
refuses a PeerJob whose workers would serve forever. With one role, everything is as without roles: its index 0 leads.

## ssh

MPI starts its processes through ssh. You make the keys: ` + "`" + `sshSecretName` + "`" + ` names a Secret with a key
pair. peerjob makes none, because its output ends up in a repository.

    ssh-keygen -t ed25519 -N "" -C "" -f id
    kubectl create secret generic NAME --type=kubernetes.io/ssh-auth \
      --from-file=ssh-privatekey=id --from-file=ssh-publickey=id.pub

- One pair is the client's key, the only authorized key and the key of every host. So both ends
  know each other, and ssh accepts no host key blindly.
- OpenSSH refuses a key that others may read or that another user owns. So the Secret is mounted
  with mode 0400, and a script copies it with mode 0600 to an ` + "`" + `emptyDir` + "`" + ` in memory at
  ` + "`" + `/run/peerjob` + "`" + `. A container that does not run as root needs ` + "`" + `fsGroup` + "`" + ` to read the Secret; without
  it, peerjob reports an error.
- sshd listens on 2222, so it needs no privileges, and it accepts only this key. It reads its own
  configuration and not the image's. A session has the container's ` + "`" + `PATH` + "`" + ` and ` + "`" + `LD_LIBRARY_PATH` + "`" + `;
  pass other variables with ` + "`" + `mpirun -x` + "`" + ` or ` + "`" + `-genv` + "`" + `.
- A read-only root file system works for a user other than root. As root, sshd needs
  ` + "`" + `/run/sshd` + "`" + ` to exist.

## Horovod

Horovod has no type, because ` + "`" + `horovodrun` + "`" + ` takes its hosts and its keys only from its command line.
Its documentation also starts it [with mpirun](https://horovod.readthedocs.io/en/stable/mpi.html),
and ` + "`" + `OpenMPI` + "`" + ` wires that.
`

func page() string {
	var b strings.Builder
	b.WriteString(head)
	b.WriteString("\n## All types\n\n| type | what it is | ports |\n| --- | --- | --- |\n")
	for _, entry := range framework.Entries() {
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s |\n", entry.Type, strings.ToLower(entry.Type), entry.About, ports(entry))
	}
	for _, entry := range framework.Entries() {
		write(&b, &entry)
	}
	return b.String()
}

func ports(entry framework.Entry) string {
	var list []string
	for _, port := range entry.Ports {
		list = append(list, fmt.Sprint(port.Number))
	}
	return strings.Join(list, ", ")
}

func write(b *strings.Builder, entry *framework.Entry) {
	folder := frameworks.Folder(entry.Type)
	fmt.Fprintf(b, "\n## %s\n\n%s Example: [examples/frameworks/%s](../examples/frameworks/%s).\n", entry.Type, entry.About, folder, folder)
	b.WriteString("\n| variable | value, for three peers | meaning |\n| --- | --- | --- |\n")
	for _, row := range entry.Contract() {
		meaning := row.Meaning
		if row.Yields {
			meaning += " (*yours wins*)"
		}
		fmt.Fprintf(b, "| `%s` | `%s` | %s |\n", row.Name, row.Value, meaning)
	}
	b.WriteString("\n| port | name | who listens |\n| --- | --- | --- |\n")
	for i, port := range entry.Ports {
		number := fmt.Sprint(port.Number)
		if i == 0 {
			number += " (`port`)"
		}
		fmt.Fprintf(b, "| %s | `%s` | %s |\n", number, port.Name, port.Meaning)
	}
	b.WriteString("\n")
	if entry.Processes != "" {
		fmt.Fprintf(b, "- `processesPerPeer`: %s.\n", entry.Processes)
	}
	if entry.Hostfile != nil {
		fmt.Fprintf(b, "- File `%s`, with a line for each peer: `%s`.\n", entry.Hostfile.Path(), entry.Line())
	}
	if beside, alone := entry.Servers(); alone != "" {
		fmt.Fprintf(b, "- The script first runs `%s`, then the leader's command. A leader's role without a command runs `%s`.\n", beside, alone)
	}
	if entry.Leader != nil && entry.Leader.Worker != "" {
		fmt.Fprintf(b, "- The other peers run `%s`, unless the container has a command.\n", entry.Leader.Worker)
	}
	fmt.Fprintf(b, "- With roles: %s\n", entry.WithRoles())
	for _, note := range entry.Notes {
		fmt.Fprintf(b, "- %s\n", note)
	}
	for _, source := range entry.Sources {
		if strings.HasPrefix(source, "https://") {
			source = "<" + source + ">"
		}
		fmt.Fprintf(b, "- Source: %s.\n", source)
	}
}
