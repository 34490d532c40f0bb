// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// maxFQDNLength is the longest host name that the kernel takes. A Pod with
// setHostnameAsFQDN and a longer name never starts, and the API server does
// not check it.
// See https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-s-sethostnameasfqdn-field.
const maxFQDNLength = 64

var (
	metadataPath = field.NewPath("metadata")
	namePath     = metadataPath.Child("name")
	specPath     = field.NewPath("spec")
	servicePath  = specPath.Child("service")
	templatePath = specPath.Child("template")
	podPath      = templatePath.Child("spec")
)

// Validate refuses a PeerJob whose Pods would not find each other, although
// the API server would take what it expands to. It wants a PeerJob that
// [Default] has seen, and returns every error in the order of the fields.
func Validate(pj *PeerJob) field.ErrorList {
	var errs field.ErrorList
	errs = append(errs, validateMetadata(pj)...)
	errs = append(errs, validatePeers(pj)...)
	errs = append(errs, validateService(pj)...)
	errs = append(errs, validateCarried(specPath.Child("job"), pj.Spec.Job.Labels, pj.Spec.Job.Annotations)...)
	errs = append(errs, validateToggle(pj.Spec.NameSuffixHash, specPath.Child("nameSuffixHash"))...)
	errs = append(errs, validateToggle(pj.Spec.PeerEnv, specPath.Child("peerEnv"))...)
	errs = append(errs, validateTemplating(pj)...)
	errs = append(errs, validateBarrier(pj)...)
	errs = append(errs, validateClusterDomain(pj)...)
	errs = append(errs, ValidateKubernetesVersion(pj.Spec.KubernetesVersion, specPath.Child("kubernetesVersion"))...)
	errs = append(errs, validateKueue(pj)...)
	errs = append(errs, validateTemplateMetadata(pj)...)
	errs = append(errs, validateEnvironment(pj)...)
	errs = append(errs, validateDNS(pj)...)
	return errs
}

func validateMetadata(pj *PeerJob) field.ErrorList {
	var errs field.ErrorList
	if pj.Name == "" {
		errs = append(errs, field.Required(namePath, "it names the Job, and the Pods' host names are <name>-<index>"))
	} else {
		errs = append(errs, validateName(pj)...)
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

// validateName holds the rule which the Job's name has in batch/v1: the host
// name of the last index must be a DNS label.
func validateName(pj *PeerJob) field.ErrorList {
	name, longest := pj.Name, pj.LongestHostname()
	if len(longest) > validation.DNS1123LabelMaxLength {
		return field.ErrorList{field.Invalid(namePath, name, fmt.Sprintf(
			"must be no more than %d characters for %d peers: the host name of the last one, %q, must be a DNS label of no more than %d characters",
			pj.MaxNameLength(), pj.Peers(), longest, validation.DNS1123LabelMaxLength))}
	}
	if strings.Contains(name, ".") {
		return field.ErrorList{field.Invalid(namePath, name, fmt.Sprintf(
			"must not contain dots, because the Pods' host names are <name>-<index>; write %q", strings.ReplaceAll(name, ".", "-")))}
	}
	var errs field.ErrorList
	for _, msg := range validation.IsDNS1123Label(name) {
		errs = append(errs, field.Invalid(namePath, name, msg))
	}
	return errs
}

func validatePeers(pj *PeerJob) field.ErrorList {
	path := specPath.Child("peers")
	switch {
	case pj.Spec.Peers == nil:
		return field.ErrorList{field.Required(path, "the number of Pods, which all run at the same time")}
	case pj.Peers() < 1 || pj.Peers() > MaxPeers:
		return field.ErrorList{field.Invalid(path, pj.Peers(), fmt.Sprintf("must be between 1 and %d", MaxPeers))}
	}
	return nil
}

func validateService(pj *PeerJob) field.ErrorList {
	var errs field.ErrorList
	if name := pj.Spec.Service.Name; name != "" {
		for _, msg := range validation.IsDNS1123Label(name) {
			errs = append(errs, field.Invalid(servicePath.Child("name"), name, msg))
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
		for _, key := range sortedKeys(values) {
			if key == LocalConfigAnnotation || isOwnKey(key) {
				errs = append(errs, field.Forbidden(path.Key(key), "is reserved for peerjob and the tools that run it"))
			}
		}
	}
	refuse(path.Child("labels"), labels)
	refuse(path.Child("annotations"), annotations)
	return errs
}

func validateToggle(value Toggle, path *field.Path) field.ErrorList {
	if value == Enabled || value == Disabled {
		return nil
	}
	return field.ErrorList{field.NotSupported(path, value, []Toggle{Enabled, Disabled})}
}

func validateClusterDomain(pj *PeerJob) field.ErrorList {
	var errs field.ErrorList
	for _, msg := range validation.IsDNS1123Subdomain(pj.Spec.ClusterDomain) {
		errs = append(errs, field.Invalid(specPath.Child("clusterDomain"), pj.Spec.ClusterDomain, msg))
	}
	return errs
}

// ValidateKubernetesVersion refuses what is no minor version between the
// oldest and the newest; "" is none.
func ValidateKubernetesVersion(version string, path *field.Path) field.ErrorList {
	if version == "" {
		return nil
	}
	if _, ok := parseMinor(version); !ok {
		return field.ErrorList{field.Invalid(path, version, fmt.Sprintf(
			"must be a minor version from \"1.%d\" to \"1.%d\", such as \"1.34\"", OldestMinor, NewestMinor))}
	}
	return nil
}

// KubernetesMinor is the minor version of the oldest server that the output
// must work on, or false when none is asked for.
func (pj *PeerJob) KubernetesMinor() (minor int, ok bool) {
	return parseMinor(pj.Spec.KubernetesVersion)
}

func parseMinor(version string) (minor int, ok bool) {
	digits, found := strings.CutPrefix(version, "1.")
	minor, err := strconv.Atoi(digits)
	ok = found && err == nil && minor >= OldestMinor && minor <= NewestMinor && digits == strconv.Itoa(minor)
	return minor, ok
}

// kueueMinParallelism lets Kueue start a Job with fewer Pods than it asks for.
const kueueMinParallelism = "kueue.x-k8s.io/job-min-parallelism"

// validateKueue refuses partial admission: the peers are told their number
// when the objects are built.
func validateKueue(pj *PeerJob) field.ErrorList {
	if value, found := pj.Annotations[kueueMinParallelism]; found {
		return field.ErrorList{field.Invalid(metadataPath.Child("annotations").Key(kueueMinParallelism), value,
			"Kueue would start fewer peers than spec.peers, and the peers would wait for the others for ever; remove it")}
	}
	return nil
}

// validateTemplateMetadata keeps what peerjob and the Job controller set out of
// the user's Pod template: set by hand, it would be wrong after a rename.
func validateTemplateMetadata(pj *PeerJob) field.ErrorList {
	labels, annotations := templatePath.Child("metadata", "labels"), templatePath.Child("metadata", "annotations")
	var errs field.ErrorList
	for _, key := range sortedKeys(pj.Spec.Template.Labels) {
		switch {
		case isOwnKey(key):
			errs = append(errs, field.Forbidden(labels.Key(key), "is set by peerjob; leave it out"))
		case slices.Contains(controllerLabels, key):
			errs = append(errs, field.Forbidden(labels.Key(key), "is set by the Job controller; leave it out"))
		}
	}
	for _, key := range sortedKeys(pj.Spec.Template.Annotations) {
		if isOwnKey(key) {
			errs = append(errs, field.Forbidden(annotations.Key(key), "is set by peerjob; leave it out"))
		}
	}
	return errs
}

// controllerLabels are the labels by which the Job controller finds its Pods.
// The API server gives them to the template of a Job that has no selector of
// its own, and refuses others under these keys.
var controllerLabels = []string{
	NameLabel, batchv1.JobNameLabel, "controller-uid", batchv1.ControllerUidLabel,
}

// validateEnvironment refuses a variable of the user's which has the name of
// one of peerjob's, and what no program can be started with.
func validateEnvironment(pj *PeerJob) field.ErrorList {
	var reserved []string
	if pj.Spec.PeerEnv != Disabled {
		reserved = PeerEnvNames()
	}
	var errs field.ErrorList
	pj.EachContainer(func(container *corev1.Container, path *field.Path) {
		for i, variable := range container.Env {
			if slices.Contains(reserved, variable.Name) {
				errs = append(errs, field.Invalid(path.Child("env").Index(i).Child("name"), variable.Name,
					"is set by peerjob; remove it, or set spec.peerEnv to Disabled"))
			}
			if length := len(variable.Name) + len("=") + len(variable.Value); length > MaxVariableLength {
				errs = append(errs, tooLong(path.Child("env").Index(i).Child("value"), "NAME=value", length))
			}
		}
		errs = append(errs, validateArguments(container.Command, path.Child("command"))...)
		errs = append(errs, validateArguments(container.Args, path.Child("args"))...)
	})
	return errs
}

func validateArguments(arguments []string, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, argument := range arguments {
		if len(argument) > MaxVariableLength {
			errs = append(errs, tooLong(path.Index(i), "the argument", len(argument)))
		}
	}
	return errs
}

func tooLong(path *field.Path, what string, length int) *field.Error {
	return &field.Error{Type: field.ErrorTypeTooLong, Field: path.String(), Detail: fmt.Sprintf(
		"%s has %d bytes, and Linux starts no program with a string of more than %d; put it into a ConfigMap and mount that", what, length, MaxVariableLength)}
}

// EachContainer visits every container of the Pod template with its path, init
// containers first, as they start.
func (pj *PeerJob) EachContainer(visit func(container *corev1.Container, path *field.Path)) {
	pod := &pj.Spec.Template.Spec
	for i := range pod.InitContainers {
		visit(&pod.InitContainers[i], podPath.Child("initContainers").Index(i))
	}
	for i := range pod.Containers {
		visit(&pod.Containers[i], podPath.Child("containers").Index(i))
	}
}

// validateDNS refuses what keeps "<hostname>.<service>" from being published
// or from being looked up.
// See https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/.
func validateDNS(pj *PeerJob) field.ErrorList {
	pod := &pj.Spec.Template.Spec
	var errs field.ErrorList
	if pod.Hostname != "" {
		errs = append(errs, field.Invalid(podPath.Child("hostname"), pod.Hostname,
			"must not be set: the Job controller sets it to <name>-<index>"))
	}
	if pod.HostnameOverride != nil {
		errs = append(errs, field.Invalid(podPath.Child("hostnameOverride"), *pod.HostnameOverride,
			"must not be set: a Pod with it does not know its own peer name"))
	}
	if pod.Subdomain != "" && pod.Subdomain != pj.ServiceName() {
		errs = append(errs, field.Invalid(podPath.Child("subdomain"), pod.Subdomain, fmt.Sprintf(
			"must be the name of the Service, %q; leave it out, or set spec.service.name", pj.ServiceName())))
	}
	if pod.SetHostnameAsFQDN != nil && *pod.SetHostnameAsFQDN {
		errs = append(errs, validateFQDN(pj)...)
	}
	dnsPolicy := podPath.Child("dnsPolicy")
	switch {
	case pod.DNSPolicy == corev1.DNSDefault:
		errs = append(errs, field.Invalid(dnsPolicy, pod.DNSPolicy,
			"peer names do not resolve with it; leave it out, or set ClusterFirst"))
	case pod.DNSPolicy == corev1.DNSClusterFirst && pod.HostNetwork:
		errs = append(errs, field.Invalid(dnsPolicy, pod.DNSPolicy,
			"peer names do not resolve with it on the host network; leave it out, or set ClusterFirstWithHostNet"))
	case pod.DNSPolicy == corev1.DNSNone:
		errs = append(errs, validateDNSConfig(pj)...)
	}
	return errs
}

func validateFQDN(pj *PeerJob) field.ErrorList {
	// Without a namespace in the PeerJob any may come later; the shortest
	// possible one tells whether some would fit.
	shown, length := pj.LongestFQDN(pj.Namespace), ""
	size := len(shown)
	if pj.Namespace == "" {
		shown, length = pj.LongestFQDN("<namespace>"), "at least "
		size++
	}
	if size <= maxFQDNLength {
		return nil
	}
	return field.ErrorList{field.Invalid(podPath.Child("setHostnameAsFQDN"), true, fmt.Sprintf(
		"the longest host name, %q, has %s%d characters, and a Pod with one of more than %d never starts; choose shorter names, or leave it out",
		shown, length, size, maxFQDNLength))}
}

// validateDNSConfig holds dnsPolicy None to a configuration with which peer
// names resolve.
func validateDNSConfig(pj *PeerJob) field.ErrorList {
	var errs field.ErrorList
	config := pj.Spec.Template.Spec.DNSConfig
	if config == nil {
		config = &corev1.PodDNSConfig{}
	}
	configPath := podPath.Child("dnsConfig")
	if len(config.Nameservers) == 0 {
		errs = append(errs, field.Required(configPath.Child("nameservers"), "with dnsPolicy None: the address of the cluster's DNS Service"))
	}
	want := pj.SearchDomain(pj.Namespace)
	found := slices.ContainsFunc(config.Searches, func(search string) bool {
		search = strings.TrimSuffix(search, ".")
		if pj.Namespace != "" {
			return search == want
		}
		namespace, found := strings.CutSuffix(search, want)
		return found && len(validation.IsDNS1123Label(namespace)) == 0
	})
	if !found {
		if pj.Namespace == "" {
			want = pj.SearchDomain("<namespace>")
		}
		errs = append(errs, field.Required(configPath.Child("searches"), fmt.Sprintf(
			"with dnsPolicy None: %q, or the peers' names <hostname>.<service> do not resolve", want)))
	}
	return errs
}
