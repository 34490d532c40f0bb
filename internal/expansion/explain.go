// SPDX-License-Identifier: Apache-2.0

package expansion

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/lazyregexp"
)

// cure is what to write where the server's error does not say it.
type cure struct {
	typ    field.ErrorType
	path   *lazyregexp.Regexp
	detail string
	cure   string
}

// cures are for the errors that people meet first. The server's own words stay, and the
// first one that fits comes behind them.
var cures = []cure{
	{field.ErrorTypeRequired, lazyregexp.New(`\.template\.spec\.containers$`), "", "what runs in each Pod: at least one, such as {name: main, image: IMAGE}"},
	{field.ErrorTypeRequired, lazyregexp.New(`ontainers\[\d+\]\.image$`), "", "the image of the container; if a kustomize patch wrote the container, list peerjob's Component, which merges containers by name"},
	{field.ErrorTypeRequired, lazyregexp.New(`ontainers\[\d+\]\.name$`), "", "the name of the container in the Pod, such as main"},
	{field.ErrorTypeRequired, lazyregexp.New(`\.env\[\d+\]\.name$`), "", "the name of the variable"},
	{field.ErrorTypeRequired, lazyregexp.New(`\.containerPort$`), "", "the number of the port"},
	{field.ErrorTypeRequired, lazyregexp.New(`\.mountPath$`), "", "the path of the volume in the container"},
	{field.ErrorTypeRequired, lazyregexp.New(`\.volumes\[\d+\]\.name$`), "", "the name that volumeMounts have"},
	{field.ErrorTypeNotFound, lazyregexp.New(`\.volumeMounts\[\d+\]\.name$`), "", "no volume has this name; add it to spec.template.spec.volumes"},
	{field.ErrorTypeNotFound, lazyregexp.New(`\.volumeDevices\[\d+\]\.name$`), "", "no volume has this name; add it to spec.template.spec.volumes"},
	{field.ErrorTypeRequired, lazyregexp.New(`\.resources\.limits$`), "Limit must be set for non overcommitable resources", ": an extended resource, such as nvidia.com/gpu, or hugepages; write it in limits, too, with the number of requests"},
	{field.ErrorTypeInvalid, lazyregexp.New(`.`), "must be less than or equal to completions", ", which is spec.peers"},
}

// explain adds cures to the server's errors, and leaves out those about what the server
// copies from a field with an error.
func explain(refused, earlier field.ErrorList) field.ErrorList {
	all := slices.Concat(earlier, refused)
	explained := make(field.ErrorList, 0, len(refused))
	for _, err := range refused {
		if isCopy(err, all) {
			continue
		}
		for _, c := range cures {
			if c.typ == err.Type && c.detail == err.Detail && c.path.MatchString(err.Field) {
				there := *err
				there.Detail += inRole(c.cure, err.Field)
				err = &there
				break
			}
		}
		explained = append(explained, err)
	}
	return explained
}

// roleOf matches the role that a field is in.
var roleOf = lazyregexp.New(`^spec\.roles\[\d+\]`)

// inRole names the fields of a role in place of those of the short form, if the error is
// about a role.
func inRole(cure, path string) string {
	role := roleOf.FindString(path)
	if role == "" {
		return cure
	}
	return strings.NewReplacer("spec.template", role+".template", "spec.peers", role+".peers").Replace(cure)
}

// isCopy reports whether an error is about a value that the server took from another
// field with an error: the target port from the port, and the namespace of the Pods from
// that of the Job.
func isCopy(err *field.Error, all field.ErrorList) bool {
	source := ""
	if strings.HasSuffix(err.Field, ".template.metadata.namespace") {
		source = "metadata.namespace"
	} else if port, isTarget := strings.CutSuffix(err.Field, ".targetPort"); isTarget {
		source = port + ".port"
	}
	return source != "" && slices.ContainsFunc(all, func(other *field.Error) bool {
		unknown, _ := other.BadValue.(diag.UnknownField)
		return other.Field == source || unknown.Nearest != "" && strings.TrimSuffix(other.Field, unknown.Name)+unknown.Nearest == source
	})
}
