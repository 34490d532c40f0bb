// SPDX-License-Identifier: Apache-2.0

package peerjob

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/rules"
	"github.com/peerjob/peerjob/internal/spell"
)

// Validate refuses a group whose Pods would not find each other, although the API
// server would take what it expands to. Of a PeerJob with roles it validates all groups.
func Validate(g *Group, brings Brings) field.ErrorList {
	errs := validateShared(g)
	for _, role := range g.All() {
		errs = append(errs, validateGroup(role, brings.to(role))...)
	}
	if g.HasRoles() {
		errs = distinct(errs)
	}
	return errs
}

// validateShared validates what all groups of the PeerJob have in common.
func validateShared(g *Group) field.ErrorList {
	pj, spec := g.PeerJob, &g.PeerJob.Spec
	return slices.Concat(
		validateMetadata(g),
		validateRoles(g),
		validateService(g),
		validateNetworkPolicy(g),
		validateCarried(specPath.Child("job"), spec.Job.Labels, spec.Job.Annotations),
		validatePartialAdmission(g),
		validateToggle(spec.NameSuffixHash, specPath.Child("nameSuffixHash")),
		validateToggle(spec.PeerEnv, specPath.Child("peerEnv")),
		validateTemplating(pj),
		validateClusterDomain(pj),
		ValidateVersion(spec.KubernetesVersion, specPath.Child("kubernetesVersion")),
	)
}

// validateGroup validates one group. What it finds on a field that all groups share, it
// finds for each of them.
func validateGroup(g *Group, brought Brought) field.ErrorList {
	service, job, template := g.draft()
	var errs field.ErrorList
	if g.Role != nil {
		errs = slices.Concat(
			validateCarried(g.Path.Child("job"), g.Role.Job.Labels, g.Role.Job.Annotations),
			rules.PartialAdmission(g.Role.Job.Annotations, g.Path.Child("peers").String(), g.Path.Child("job")),
		)
	}
	return slices.Concat(errs,
		validatePeers(g),
		validateFiles(g),
		validatePrograms(g, brought),
		validateContainers(g),
		validateBarrier(g),
		validateFailurePolicy(g, brought),
		validateRunner(g, brought),
		validateControllerLabels(g),
		validateTemplateMetadata(g),
		validateVariables(g),
		rules.StringLengths(template, brought.variables(g).Before, g.podFields(), g.TemplatePath()),
		rules.ResourceFields(template, g.TemplatePath()),
		rules.SubPathExpressions(template, brought.variables(g), g.TemplatePath()),
		rules.NodeValues(template, g.TemplatePath()),
		validateRestartPolicy(g),
		rules.DNS(service, template, job, g.PeerJob.Spec.ClusterDomain, g.TemplatePath()),
	)
}

// distinct returns the errors, each once.
func distinct(errs field.ErrorList) field.ErrorList {
	said := map[string]bool{}
	return slices.DeleteFunc(errs, func(err *field.Error) bool {
		text := err.Error()
		defer func() { said[text] = true }()
		return said[text]
	})
}

func validateMetadata(g *Group) field.ErrorList {
	pj := g.PeerJob
	var errs field.ErrorList
	if pj.Name == "" {
		errs = append(errs, field.Required(NamePath, "it names the Job, and the Pods' host names are <name>-<index>"))
	} else {
		errs = append(errs, validateHostnames(g)...)
	}
	if pj.Namespace != "" {
		for _, msg := range validation.IsDNS1123Label(pj.Namespace) {
			errs = append(errs, field.Invalid(metadataPath.Child("namespace"), pj.Namespace, msg))
		}
	}
	const notCarried = "a PeerJob never reaches the server, and peerjob copies only name, namespace, labels and annotations"
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"generateName", pj.GenerateName != ""},
		{"ownerReferences", len(pj.OwnerReferences) > 0},
		{"finalizers", len(pj.Finalizers) > 0},
	} {
		if f.set {
			errs = append(errs, field.Forbidden(metadataPath.Child(f.name), notCarried))
		}
	}
	return errs
}

func validatePeers(g *Group) field.ErrorList {
	path := g.Path.Child("peers")
	switch {
	case g.Job.Completions == nil:
		return field.ErrorList{field.Required(path, "the number of Pods, which all run at the same time")}
	case g.Peers() < 1 || g.Peers() > v1alpha1.MaxPeers:
		return field.ErrorList{field.Invalid(path, g.Peers(), fmt.Sprintf("must be between 1 and %d", v1alpha1.MaxPeers))}
	}
	return nil
}

func validateService(g *Group) field.ErrorList {
	pj := g.PeerJob
	var errs field.ErrorList
	if name := pj.Spec.Service.Name; name != "" {
		msgs := validation.IsDNS1123Label(name)
		for _, msg := range msgs {
			errs = append(errs, field.Invalid(servicePath.Child("name"), name, msg))
		}
		if long := len(g.ServiceName()) - validation.DNS1123LabelMaxLength; len(msgs) == 0 && long > 0 {
			errs = append(errs, field.Invalid(servicePath.Child("name"), name, fmt.Sprintf(
				"must be no more than %d characters with spec.nameSuffixHash: the name of the Service, %q, must be a DNS label of no more than %d characters",
				len(name)-long, g.ServiceName(), validation.DNS1123LabelMaxLength)))
		}
	}
	return append(errs, validateCarried(servicePath, pj.Spec.Service.Labels, pj.Spec.Service.Annotations)...)
}

// validateCarried refuses what a user can't mean on a child: the mark of local
// configuration would keep it out of the cluster, and peerjob's own are not the
// user's. What else belongs to an orchestrator is left out when it is copied.
func validateCarried(path *field.Path, labels, annotations map[string]string) field.ErrorList {
	var errs field.ErrorList
	refuse := func(path *field.Path, values map[string]string) {
		for _, key := range slices.Sorted(maps.Keys(values)) {
			if key == v1alpha1.LocalConfigAnnotation || v1alpha1.IsOwnKey(key) {
				errs = append(errs, field.Forbidden(path.Key(key), "is reserved for peerjob and the tools that run it"))
			}
		}
	}
	refuse(path.Child("labels"), labels)
	refuse(path.Child("annotations"), annotations)
	return errs
}

// validatePartialAdmission refuses Kueue's partial admission of all Jobs of the PeerJob.
func validatePartialAdmission(g *Group) field.ErrorList {
	size := specPath.Child("peers").String()
	if g.HasRoles() {
		size = "spec.roles[].peers"
	}
	return slices.Concat(
		rules.PartialAdmission(g.PeerJob.Annotations, size, metadataPath),
		rules.PartialAdmission(g.PeerJob.Spec.Job.Annotations, size, specPath.Child("job")),
	)
}

func validateToggle(value v1alpha1.Toggle, path *field.Path) field.ErrorList {
	if value == v1alpha1.Enabled || value == v1alpha1.Disabled {
		return nil
	}
	err := field.NotSupported(path, value, []v1alpha1.Toggle{v1alpha1.Enabled, v1alpha1.Disabled})
	yes, known := spell.YesOrNo(string(value))
	switch {
	case yes, strings.EqualFold(string(value), "true"):
		err.Detail += fmt.Sprintf("; did you mean %q?", v1alpha1.Enabled)
	case known, strings.EqualFold(string(value), "false"):
		err.Detail += fmt.Sprintf("; did you mean %q?", v1alpha1.Disabled)
	}
	return field.ErrorList{err}
}

func validateClusterDomain(pj *v1alpha1.PeerJob) field.ErrorList {
	var errs field.ErrorList
	for _, msg := range validation.IsDNS1123Subdomain(pj.Spec.ClusterDomain) {
		errs = append(errs, field.Invalid(specPath.Child("clusterDomain"), pj.Spec.ClusterDomain, msg))
	}
	return errs
}

// ValidateVersion refuses what is no minor version between the
// oldest and the newest; "" is none.
func ValidateVersion(version string, path *field.Path) field.ErrorList {
	if version == "" {
		return nil
	}
	if _, ok := Minor(version); !ok {
		hint := ""
		if _, isShort := Minor(version + "0"); isShort {
			hint = fmt.Sprintf("; did you mean %q? Without quotes it is the number %s", version+"0", version)
		}
		return field.ErrorList{field.Invalid(path, version, fmt.Sprintf(
			"must be a minor version from \"1.%d\" to \"1.%d\", such as \"1.34\"%s", v1alpha1.OldestMinor, v1alpha1.NewestMinor, hint))}
	}
	return nil
}

// Minor is the minor version in a version such as "1.34", or false when it is none
// between the oldest and the newest.
func Minor(version string) (minor int, ok bool) {
	digits, found := strings.CutPrefix(version, "1.")
	minor, err := strconv.Atoi(digits)
	ok = found && err == nil && minor >= v1alpha1.OldestMinor && minor <= v1alpha1.NewestMinor && digits == strconv.Itoa(minor)
	return minor, ok
}

// validateTemplating holds values to a PeerJob that renders templates.
func validateTemplating(pj *v1alpha1.PeerJob) field.ErrorList {
	path := specPath.Child("templating")
	errs := validateToggle(pj.Spec.Templating, path)
	if pj.Spec.Templating != v1alpha1.Enabled {
		for _, f := range []struct {
			name string
			set  bool
		}{
			{"values", pj.Spec.Values != nil},
			{"valuesFrom", pj.Spec.ValuesFrom != nil},
			{"snippets", pj.Spec.Snippets != nil},
		} {
			if f.set {
				errs = append(errs, field.Forbidden(specPath.Child(f.name), "is for templates; set spec.templating to Enabled, or remove it"))
			}
		}
	}
	for i, source := range pj.Spec.ValuesFrom {
		path := specPath.Child("valuesFrom").Index(i).Child("configMapRef")
		if source.ConfigMapRef == nil {
			errs = append(errs, field.Required(path, "the ConfigMap with the values"))
			continue
		}
		if source.ConfigMapRef.Name == "" {
			errs = append(errs, field.Required(path.Child("name"), "the name of the ConfigMap with the values"))
			continue
		}
		for _, msg := range validation.IsDNS1123Subdomain(source.ConfigMapRef.Name) {
			errs = append(errs, field.Invalid(path.Child("name"), source.ConfigMapRef.Name, msg))
		}
	}
	return errs
}

// validateTemplateMetadata keeps what peerjob sets out of the user's Pod template:
// set by hand, it would be wrong after a rename.
func validateTemplateMetadata(g *Group) field.ErrorList {
	var errs field.ErrorList
	refuse := func(path *field.Path, values map[string]string) {
		for _, key := range slices.Sorted(maps.Keys(values)) {
			if v1alpha1.IsOwnKey(key) {
				errs = append(errs, field.Forbidden(path.Key(key), "is set by peerjob; leave it out"))
			}
		}
	}
	for _, own := range g.TemplateMetas() {
		refuse(own.Path.Child("labels"), own.Labels)
		refuse(own.Path.Child("annotations"), own.Annotations)
	}
	return errs
}

// validateControllerLabels refuses labels that the Job controller sets, where they are
// written: in a PeerJob with roles, spec.template has those of the Pods of all roles.
func validateControllerLabels(g *Group) field.ErrorList {
	_, job, _ := g.draft()
	var errs field.ErrorList
	for _, own := range g.TemplateMetas() {
		errs = append(errs, rules.ControllerLabels(own.Labels, job, own.Path.Child("labels"))...)
	}
	return errs
}

// validateRestartPolicy refuses the policy of other workloads. The server's own error
// does not show the value.
func validateRestartPolicy(g *Group) field.ErrorList {
	if policy := g.Template().Spec.RestartPolicy; policy == corev1.RestartPolicyAlways {
		return field.ErrorList{field.NotSupported(g.PodPath().Child("restartPolicy"), policy, []corev1.RestartPolicy{corev1.RestartPolicyNever, corev1.RestartPolicyOnFailure})}
	}
	return nil
}

// validateVariables refuses a variable of the user's that has the name of one of
// peerjob's.
func validateVariables(g *Group) field.ErrorList {
	var errs field.ErrorList
	g.EachContainer(func(container *corev1.Container, path *field.Path) {
		reserved := g.ReservedEnvNames(container)
		for i, variable := range container.Env {
			if !slices.Contains(reserved, variable.Name) || g.IsPeerVariable(container, variable) {
				continue
			}
			detail := "is set by peerjob; remove it"
			if g.PeerJob.Spec.Framework == nil {
				detail += ", or set spec.peerEnv to Disabled"
			}
			if g.isRunnerContainer(container) {
				switch {
				case variable.Name == v1alpha1.EnvRank, variable.Name == v1alpha1.EnvWorldSize:
					detail = "is set by the runner of " + g.runnerField() + " in a PeerJob with roles; remove it"
				case variable.Name == v1alpha1.EnvAttempt:
					detail = "is set by the runner of spec.failurePolicy, with the number of the attempt; remove it"
				case slices.Contains(g.runnerEnvNames(), variable.Name):
					detail = "is set by peerjob, and read by the runner of " + g.runnerField() + "; remove it"
				}
			}
			errs = append(errs, field.Invalid(path.Child("env").Index(i).Child("name"), variable.Name, detail))
		}
	})
	return errs
}
