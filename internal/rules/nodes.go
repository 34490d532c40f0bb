// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/component-helpers/node/util/sysctl"

	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/spell"
)

// NodeValues refuses values that are any text to the API server, and of which the kubelet
// knows a few: the medium of an emptyDir, and the sysctls of a Pod. It starts no Pod with
// another one.
//
// See SetUpAt in k8s.io/kubernetes/pkg/volume/emptydir, and NewAllowlist and validateSysctl
// in k8s.io/kubernetes/pkg/kubelet/sysctl.
func NodeValues(template *corev1.PodTemplateSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, volume := range template.Spec.Volumes {
		if volume.EmptyDir != nil && !isMedium(volume.EmptyDir.Medium) {
			errs = append(errs, field.Invalid(path.Child("spec", "volumes").Index(i).Child("emptyDir", "medium"), volume.EmptyDir.Medium,
				"the kubelet knows no such medium, and never mounts the volume; "+rightMedium(string(volume.EmptyDir.Medium))))
		}
	}
	if template.Spec.SecurityContext == nil {
		return errs
	}
	shared := template.Spec.HostUsers == nil || *template.Spec.HostUsers
	for i, set := range template.Spec.SecurityContext.Sysctls {
		at := path.Child("spec", "securityContext", "sysctls").Index(i).Child("name")
		switch namespace, name, _ := sysctl.GetNamespace(set.Name); {
		case name == "": // the API server says that
		case namespace == sysctl.UnknownNamespace:
			errs = append(errs, field.Invalid(at, set.Name, "belongs to the node, not to a Pod, and no kubelet takes it (SysctlForbidden); leave it out, and set it on the nodes"))
		case namespace == sysctl.UserNamespace && shared:
			errs = append(errs, field.Invalid(at, set.Name, "belongs to a user namespace, and no kubelet takes it from a Pod without one of its own (SysctlForbidden); leave it out, or set hostUsers to false"))
		}
	}
	return errs
}

// isMedium reports whether the kubelet knows a medium.
func isMedium(medium corev1.StorageMedium) bool {
	size, huge := strings.CutPrefix(string(medium), string(corev1.StorageMediumHugePagesPrefix))
	if huge {
		_, err := resource.ParseQuantity(size)
		return err == nil
	}
	return slices.Contains([]corev1.StorageMedium{corev1.StorageMediumDefault, corev1.StorageMediumMemory, corev1.StorageMediumHugePages}, medium)
}

// rightMedium says which medium to write in the place of another word.
func rightMedium(word string) string {
	const disk = "leave it out for the disk of the node"
	switch strings.ToLower(word) {
	case "ram", "shm", "mem", "tmpfs", "memory-backed":
		return "write " + string(corev1.StorageMediumMemory)
	case "disk", "default", "node", "ssd", "hdd", "local", "ephemeral", "storage":
		return disk
	}
	if near := spell.Nearest(word, []string{string(corev1.StorageMediumMemory), string(corev1.StorageMediumHugePages)}); near != "" {
		return "write " + near
	}
	return fmt.Sprintf("write %s, %s or %s<size>, or %s", corev1.StorageMediumMemory, corev1.StorageMediumHugePages, corev1.StorageMediumHugePagesPrefix, disk)
}

// capabilities are those of Linux, without the prefix "CAP_". See capabilities(7).
var capabilities = []string{
	"AUDIT_CONTROL", "AUDIT_READ", "AUDIT_WRITE", "BLOCK_SUSPEND", "BPF", "CHECKPOINT_RESTORE", "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH",
	"FOWNER", "FSETID", "IPC_LOCK", "IPC_OWNER", "KILL", "LEASE", "LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE", "MKNOD", "NET_ADMIN",
	"NET_BIND_SERVICE", "NET_BROADCAST", "NET_RAW", "PERFMON", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYSLOG", "SYS_ADMIN", "SYS_BOOT",
	"SYS_CHROOT", "SYS_MODULE", "SYS_NICE", "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "WAKE_ALARM",
}

// Capabilities finds capabilities that Linux does not have. The API server takes any text,
// and the container starts without them: the container runtime writes one line into its log.
// See https://kubernetes.io/docs/tasks/configure-pod-container/security-context/#set-capabilities-for-a-container.
func Capabilities(template *corev1.PodTemplateSpec, path *field.Path) (w []diag.Warning) {
	judge := func(names []corev1.Capability, path *field.Path) {
		for i, name := range names {
			upper := strings.ToUpper(string(name))
			bare, prefixed := strings.CutPrefix(upper, "CAP_")
			switch known := slices.Contains(capabilities, bare); {
			case known && prefixed:
				w = append(w, diag.Warn(path.Index(i), "containerd puts CAP_ before it, and knows no %q; write %s", "CAP_"+upper, bare))
			case !known && upper != "ALL":
				cure := "leave it out"
				if near := spell.Nearest(bare, capabilities); near != "" {
					cure = "did you mean " + near + "?"
				}
				w = append(w, diag.Warn(path.Index(i), "Linux has no capability %q, and the container starts as if it were not there; %s", name, cure))
			}
		}
	}
	EachContainer(template, path, func(container *corev1.Container, path *field.Path) {
		if container.SecurityContext != nil && container.SecurityContext.Capabilities != nil {
			at := path.Child("securityContext", "capabilities")
			judge(container.SecurityContext.Capabilities.Add, at.Child("add"))
			judge(container.SecurityContext.Capabilities.Drop, at.Child("drop"))
		}
	})
	return w
}
