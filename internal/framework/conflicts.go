// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/peerjob"
	"github.com/peerjob/peerjob/internal/rules"
)

// validateVariables refuses a variable of the user's that is the framework's, unless it says
// the same.
func (s setup) validateVariables() field.ErrorList {
	env := s.values()
	var errs field.ErrorList
	s.eachContainer(func(container *corev1.Container, path *field.Path) {
		for i, variable := range container.Env {
			at := slices.IndexFunc(env, func(v corev1.EnvVar) bool { return v.Name == variable.Name })
			if at < 0 || s.yields(variable.Name) || s.saysTheSame(variable, env[at]) {
				continue
			}
			errs = append(errs, field.Invalid(path.Child("env").Index(i).Child("name"), variable.Name,
				fmt.Sprintf("is set by spec.framework (%s); remove one of the two", s.Type)))
		}
	})
	return errs
}

// portTaken is the error about a port, or the name of one, which is the framework's.
func (s setup) portTaken(path *field.Path, value any, port corev1.ServicePort) *field.Error {
	return field.Invalid(path, value, fmt.Sprintf("is the port %q of spec.framework (%s), %d; remove it, or choose another",
		port.Name, s.Type, port.Port))
}

// validateRunnerPort refuses the runner's port, if it is the framework's.
func (s setup) validateRunnerPort(ports []corev1.ServicePort) field.ErrorList {
	if !s.group.HasRunner() {
		return nil
	}
	var errs field.ErrorList
	for _, port := range ports {
		if port.Port == *s.group.Runner().Port {
			errs = append(errs, s.portTaken(peerjob.RunnerPath.Child("port"), port.Port, port))
		}
	}
	return errs
}

// validateContainerPorts refuses a container port with the number of one of the
// framework's, under another name or in a container that does not run it, and one with
// its name and another number.
func (s setup) validateContainerPorts(ports []corev1.ServicePort) field.ErrorList {
	var errs field.ErrorList
	containers := s.group.Template().Spec.Containers
	for i := range containers {
		for j, own := range containers[i].Ports {
			path := s.group.PodPath().Child("containers").Index(i).Child("ports").Index(j)
			for _, port := range ports {
				sameNumber, sameName := isPort(own.ContainerPort, own.Protocol, port), own.Name == port.Name
				switch {
				case sameNumber && !sameName && own.Name != "", sameName && !sameNumber:
					errs = append(errs, s.portTaken(path.Child("name"), own.Name, port))
				case sameNumber && !s.runsIn(containers[i].Name):
					errs = append(errs, s.portTaken(path.Child("containerPort"), own.ContainerPort, port))
				}
			}
		}
	}
	return errs
}

// validateNames refuses ports of the roles that do not run the framework: a Service has no
// two ports with one name.
func validateNames(g *peerjob.Group, s setup) field.ErrorList {
	if len(g.PeerJob.Spec.Service.Ports) > 0 {
		return nil // the ports of the containers are not those of the Service
	}
	var errs field.ErrorList
	for _, role := range g.All() {
		if slices.Contains(s.roles, role) {
			continue
		}
		for i, container := range role.Template().Spec.Containers {
			for j, own := range container.Ports {
				for _, port := range Ports(s.group) {
					if own.Name == port.Name && !isPort(own.ContainerPort, own.Protocol, port) {
						errs = append(errs, s.portTaken(role.PodPath().Child("containers").Index(i).Child("ports").Index(j).Child("name"), own.Name, port))
					}
				}
			}
		}
	}
	return errs
}

// validateServicePorts refuses a port of the Service that shares only the number or
// only the name with one of the framework's.
func (s setup) validateServicePorts(ports []corev1.ServicePort) field.ErrorList {
	var errs field.ErrorList
	for i, own := range s.group.PeerJob.Spec.Service.Ports {
		path := specPath.Child("service", "ports").Index(i)
		for _, port := range ports {
			if isPort(own.Port, own.Protocol, port) != (own.Name == port.Name) {
				errs = append(errs, s.portTaken(path.Child("name"), own.Name, port))
			}
		}
	}
	return errs
}

// isPort reports whether a number and a protocol are those of a port.
func isPort(number int32, protocol corev1.Protocol, port corev1.ServicePort) bool {
	return number == port.Port && cmp.Or(protocol, corev1.ProtocolTCP) == port.Protocol
}

// validateVolumes refuses volumes and paths that are the framework's.
func (s setup) validateVolumes() field.ErrorList {
	volumes, mounts := s.volumes(), s.mounts()
	var errs field.ErrorList
	for i, own := range s.group.Template().Spec.Volumes {
		if slices.ContainsFunc(volumes, func(v corev1.Volume) bool { return v.Name == own.Name }) {
			errs = append(errs, field.Invalid(s.group.PodPath().Child("volumes").Index(i).Child("name"), own.Name,
				fmt.Sprintf("is a volume of spec.framework (%s); choose another name", s.Type)))
		}
	}
	s.eachContainer(func(container *corev1.Container, path *field.Path) {
		for i, own := range container.VolumeMounts {
			if slices.ContainsFunc(mounts, func(m corev1.VolumeMount) bool { return m.MountPath == strings.TrimRight(own.MountPath, "/") }) {
				errs = append(errs, field.Invalid(path.Child("volumeMounts").Index(i).Child("mountPath"), own.MountPath,
					fmt.Sprintf("is where spec.framework (%s) mounts what it needs; choose another path", s.Type)))
			}
		}
	})
	return append(errs, s.validateFiles(mounts)...)
}

// validateFiles refuses files of spec.files in the folders of the framework, which are
// read-only.
func (s setup) validateFiles(mounts []corev1.VolumeMount) field.ErrorList {
	var errs field.ErrorList
	for i := range s.group.PeerJob.Spec.Files {
		file := &s.group.PeerJob.Spec.Files[i]
		inFolder := slices.ContainsFunc(mounts, func(m corev1.VolumeMount) bool { return strings.HasPrefix(file.Path+"/", m.MountPath+"/") })
		hasBoth := slices.ContainsFunc(s.group.Template().Spec.Containers, func(c corev1.Container) bool {
			return s.runsIn(c.Name) && peerjob.HasFile(file, c.Name, false)
		})
		if inFolder && hasBoth {
			errs = append(errs, field.Invalid(peerjob.FilesPath.Index(i).Child("path"), file.Path,
				fmt.Sprintf("is where spec.framework (%s) mounts what it needs; choose another path", s.Type)))
		}
	}
	return errs
}

// maxFileSize is the largest content of a ConfigMap, in bytes.
// See MaxSecretSize in k8s.io/kubernetes/pkg/apis/core.
const maxFileSize = 1 << 20

// maxGrowth is more than the factor by which a value grows when the kubelet puts
// two names of 63 characters in the place of "$(PEERJOB_SELF)".
const maxGrowth = 10

// validateSize refuses lists of peers that no program could be started with,
// or that no ConfigMap holds, and says how many peers of the largest role would fit.
func validateSize(setups []setup) field.ErrorList {
	largest := 0
	for i, s := range setups {
		if s.group.Peers() < 1 || s.group.Peers() > v1alpha1.MaxPeers {
			return nil // refused as such
		}
		if s.group.Peers() > setups[largest].group.Peers() {
			largest = i
		}
	}
	var errs field.ErrorList
	role := setups[largest].group
	refuse := func(s setup, what string, size, limit int, why string, sizeFor func(setup) int) {
		most := int(role.Peers())
		if len(setups) == 1 {
			// The first number of peers that is too large is one more than what fits. It
			// lies not far from what fits in proportion: only the indexes get shorter.
			most = min(most, 2*(most*limit/size)+1)
		}
		fit := sort.Search(most, func(n int) bool { return sizeFor(s.withPeers(largest, n)) > limit }) - 1
		errs = append(errs, field.Invalid(role.Path.Child("peers"), role.Peers(), fmt.Sprintf(
			"%s of spec.framework (%s) would have %d bytes, and %s no more than %d: with these names %d peers fit", what, s.Type, size, why, limit, max(fit, 0))))
	}
	for _, v := range setups[0].Variables {
		sizeFor := func(s setup) int { return len(v.Name) + len("=") + s.expandedLength(v.value(s)) }
		for _, s := range setups {
			if len(v.value(s))*maxGrowth < rules.MaxVariableLength {
				continue
			}
			if size := sizeFor(s); size > rules.MaxVariableLength {
				refuse(s, "the variable "+v.Name, size, rules.MaxVariableLength, "Linux starts a program with", sizeFor)
				break
			}
		}
	}
	if s := setups[0]; s.Hostfile != nil {
		sizeFor := func(s setup) int { return len(s.hosts()) }
		longest := 0
		for _, host := range s.hostSetups() {
			longest = max(longest, len(host.Hostfile.line(host.group.PeerName(host.group.LastIndex()), host)))
		}
		if int(s.total())*(longest+1) <= maxFileSize {
			return errs
		}
		if size := sizeFor(s); size > maxFileSize {
			refuse(s, "the file "+s.Hostfile.File, size, maxFileSize, "a ConfigMap takes", sizeFor)
		}
	}
	return errs
}

// withPeers is the setup for another number of peers of one role.
func (s setup) withPeers(role, n int) setup {
	s.roles = slices.Clone(s.roles)
	s.roles[role] = s.roles[role].WithPeers(int32(n))
	s.group = s.roles[s.at]
	return s
}

// expandedLength is how long a value is when the kubelet has put the names into
// it, on the peer with the longest index.
func (s setup) expandedLength(value string) int {
	if !strings.Contains(value, "$(") {
		return len(value)
	}
	job, service, last := s.group.JobName, s.group.ServiceName(), strconv.Itoa(int(s.group.LastIndex()))
	names := []string{
		reference(v1alpha1.EnvName), job,
		reference(v1alpha1.EnvService), service,
		reference(v1alpha1.EnvIndex), last,
		reference(v1alpha1.EnvSize), strconv.Itoa(int(s.group.Peers())),
		reference(v1alpha1.EnvLeader), s.group.LeaderName(),
		reference(v1alpha1.EnvSelf), job + "-" + last + "." + service,
	}
	for _, role := range s.roles {
		if role.HasRoles() {
			name, _, leader := v1alpha1.RoleEnvNames(role.RoleName())
			names = append(names, reference(name), role.JobName, reference(leader), role.PeerName(0))
		}
	}
	return len(strings.NewReplacer(names...).Replace(value))
}
