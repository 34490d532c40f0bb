// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import "strings"

const (
	// LocalConfigAnnotation keeps an object out of the cluster: kustomize, kpt
	// and Config Sync never apply one that carries it.
	LocalConfigAnnotation = "config.kubernetes.io/local-config"
	// DependsOnAnnotation orders how objects are applied, in kpt and Config
	// Sync. It is the one key of an orchestrator's domain that is carried to a
	// child, from spec.service.annotations and spec.job.annotations.
	DependsOnAnnotation = "config.kubernetes.io/depends-on"
)

// LintIgnoreAnnotation lists ids of findings, separated by commas, that "peerjob lint" does
// not report of the object that has it. It is the user's, on any object.
const LintIgnoreAnnotation = Group + "/lint-ignore"

// IsReservedKey reports whether a label or an annotation belongs to an
// orchestrator or to peerjob. Such a key says something of the very object
// that carries it (its file, its place, its function, its history), and would
// be wrong on another: it is never copied.
func IsReservedKey(key string) bool {
	domain, _, found := strings.Cut(key, "/")
	if !found || key == LintIgnoreAnnotation {
		return false
	}
	switch domain {
	case "config.k8s.io", "internal.config.k8s.io", "kustomize.config.k8s.io", "internal.kpt.dev", Group:
		return true
	}
	return domain == "config.kubernetes.io" || strings.HasSuffix(domain, ".config.kubernetes.io") ||
		strings.HasSuffix(domain, "."+Group)
}

// IsOwnKey reports whether the key is one of peerjob's own, which no user may set.
func IsOwnKey(key string) bool {
	domain, _, found := strings.Cut(key, "/")
	return found && key != LintIgnoreAnnotation && (domain == Group || strings.HasSuffix(domain, "."+Group))
}
