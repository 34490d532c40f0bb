// SPDX-License-Identifier: Apache-2.0

package framework

// What the frameworks have in common that start their processes through ssh.
const (
	// runDirectory is writable: an emptyDir in memory.
	runDirectory = "/run/peerjob"
	// keyDirectory holds the user's Secret.
	keyDirectory = "/etc/peerjob/ssh"
	// currentHostfile is the hostfile with the names of today.
	currentHostfile = runDirectory + "/hostfile"
	// sshd stays in the foreground, and writes its log there.
	sshd = "/usr/sbin/sshd -D -e -f " + runDirectory + "/ssh/sshd_config"
	// sshArguments make ssh read nothing but what peerjob wrote.
	sshArguments = "-F " + runDirectory + "/ssh/config"
)

// The keys of a Secret with a key pair, as the type kubernetes.io/ssh-auth and
// its users name them.
const (
	privateKey = "ssh-privatekey"
	publicKey  = "ssh-publickey"
)

var sshPort = Port{"tcp-ssh", 2222, "sshd, on every peer"}

// hostfile lies where the MPI Operator puts it.
func hostfile(line func(host string, s setup) string) *Hostfile {
	return &Hostfile{Directory: "/etc/mpi", File: "hostfile", line: line}
}

// mpiLeader: one key pair is everybody's. It is the client's key, the only
// authorized key and the host key, so that both ends know each other. sshd and
// ssh want it to be the user's own and nobody else's to read, which a Secret's
// file is not for every user, so it is copied.
var mpiLeader = &Leader{
	Prepare: `(
  umask 077
  mkdir -p ` + runDirectory + `/ssh
  cd ` + runDirectory + `/ssh
  cat ` + keyDirectory + "/" + privateKey + ` > key
  cat ` + keyDirectory + "/" + publicKey + ` > key.pub
  { printf '* '; cat key.pub; } > known_hosts
  cat > config <<END
Host *
  Port {port}
  IdentityFile $PWD/key
  IdentitiesOnly yes
  UserKnownHostsFile $PWD/known_hosts
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  BatchMode yes
  ConnectionAttempts 60
  LogLevel ERROR
END
  cat > sshd_config <<END
Port {port}
HostKey $PWD/key
AuthorizedKeysFile $PWD/key.pub
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
PidFile none
SetEnv PATH=$PATH LD_LIBRARY_PATH=${LD_LIBRARY_PATH:-}
END
  # sshd as root wants this directory, and not every image has it.
  mkdir -p /run/sshd 2> /dev/null || :
)
`,
	// Hydra does not know its own host by a name with a dot in it, and starts
	// processes there through ssh, too.
	Computes: sshd + " &\n",
	// A layer behind this one may have renamed the Job: the hosts in the file are
	// given the names of today. A lookup that fails ends mpirun, so all names are
	// looked up first.
	Before: `sed {rename} /etc/mpi/hostfile > ` + currentHostfile + `
while read -r host slots; do
  until getent hosts "${host%%:*}" > /dev/null; do
    echo "peerjob: waiting for ${host%%:*}" >&2
    sleep 1
  done
done < ` + currentHostfile + `
`,
	Worker: sshd,
}

var mpiNotes = []string{
	"The image needs sh, sed, getent, ssh and, at /usr/sbin/sshd, the OpenSSH server.",
	"Index 0 counts as a host and runs processes, too. A leader with a role of its own does not, and needs no OpenSSH server, unless its processesPerPeer is 1 or more.",
	"A user of the image that is locked (an exclamation mark in /etc/shadow) can't log in; root and any user without root's rights can.",
}

// podInterface is the network interface of a Pod. On the host network those of the node
// have names that can't be known.
func podInterface(s setup) string {
	if s.group.Template().Spec.HostNetwork {
		return ""
	}
	return "eth0"
}
