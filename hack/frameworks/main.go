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

peerjob sets the variables which the framework reads, behind the peers' own and
before yours, so that ` + "`$(MASTER_ADDR)`" + ` and the like work in yours and in ` + "`args`" + `; it
puts the framework's ports on the Service, mounts the files it wants, and gives
its leader and its workers what they run. ` + "`peerjob frameworks`" + ` lists the types, and
` + "`peerjob frameworks torchrun`" + ` prints a PeerJob to start from. All fields are in the
[reference](reference.md#framework); [how to add a framework](adding-a-framework.md)
has its own page.

## What holds for all

- **Names survive renames.** A value is built from the peers' variables
  (` + "`$(PEERJOB_LEADER)`" + `), which the kubelet fills in when the Pod starts. Where a
  framework wants a file of all hosts, there is a ConfigMap with the names as they
  are when peerjob runs; before an MPI leader starts, its script puts in the names of
  that moment. So a prefix that a later layer adds is right, too.
- **Which container**: the only one. Where the Pod has several, say which in
  ` + "`containers`" + `: the first is as often a sidecar as not, and a framework in the wrong
  container fails only when it runs. Init containers never get it.
- **What is the framework's is not yours.** A variable, a port, a volume or a path of
  yours under its name is refused, with both names. Variables marked *yours wins* are
  mere defaults.
- **The ConfigMap** is named ` + "`<name>-peers-<hash>`" + ` after its content and is immutable. A
  PeerJob that changes makes another one; the old one leaves the output as every
  stale object does.
- **Size**: a variable with all peers ends at 131071 bytes, a limit of Linux, and a
  ConfigMap at 1 MiB. Beyond, peerjob refuses the PeerJob and says how many peers fit.

## Frameworks with a leader

Index 0 runs ` + "`spec.framework.leader`" + `. The other peers run the container's ` + "`command`" + ` and
` + "`args`" + `, or, without, the framework's own worker. All Pods of a Job have one template,
so a few lines of ` + "`/bin/sh`" + ` choose by the index; what you wrote is never part of that
script but stands in ` + "`args`" + `, where no quote can break anything and the kubelet expands
` + "`$(NAME)`" + ` as ever.

- The Job **succeeds** with index 0 (` + "`successPolicy`" + `, on by default from Kubernetes 1.31),
  and the workers, which serve for ever, are stopped. With an older
  ` + "`spec.kubernetesVersion`" + ` it is refused: there the Job would wait for its workers.
- The Job **fails** with index 0: after ` + "`backoffLimit`" + ` failures (of all Pods; 6 by
  default). With ` + "`backoffLimitPerIndex`" + `, ` + "`maxFailedIndexes: 0`" + ` is required, or the Job
  would wait for the workers.
- A framework's own **worker that ends** before its time is started again in its Pod
  after a second, whatever its exit code: its leader may not be there yet, or may be
  on its second try. Only a program that is missing (126, 127) fails the Pod. A
  worker's command of your own ends as it ends.
- Set ` + "`activeDeadlineSeconds`" + ` where a leader could wait for ever for workers that
  find no node.

## ssh

MPI starts its processes through ssh. The keys are yours: ` + "`sshSecretName`" + ` names a Secret
with a key pair, and peerjob makes none, because what it writes ends in a repository.

    ssh-keygen -t ed25519 -N "" -C "" -f id
    kubectl create secret generic NAME --type=kubernetes.io/ssh-auth \
      --from-file=ssh-privatekey=id --from-file=ssh-publickey=id.pub

- One pair is the key of the client, the only authorized key and the key of every
  host, so both ends know each other and no host key is accepted blindly.
- OpenSSH refuses keys which others may read, or whose owner is another. So the
  Secret is mounted with mode 0400, and copied with mode 0600 to an ` + "`emptyDir`" + ` in memory
  at ` + "`/run/peerjob`" + `. A container that does not run as root needs ` + "`fsGroup`" + ` to read it;
  peerjob asks for it.
- sshd listens on 2222, so that no rights are needed, and takes only this key. It reads
  a configuration of its own, not the image's. A session has the container's ` + "`PATH`" + ` and
  ` + "`LD_LIBRARY_PATH`" + `; pass on other variables with ` + "`mpirun -x`" + ` or ` + "`-genv`" + `.
- A root file system that is read-only works for a user that is not root; sshd as root
  wants ` + "`/run/sshd`" + ` to be there.

## Horovod

has no type: ` + "`horovodrun`" + ` takes its hosts and its keys from its command line only. Its
documentation also starts it [with mpirun](https://horovod.readthedocs.io/en/stable/mpi.html),
which OpenMPI wires.
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
	if entry.Leader != nil && entry.Leader.Worker != "" {
		fmt.Fprintf(b, "- The other peers run `%s`, unless the container has a command.\n", entry.Leader.Worker)
	}
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
