// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/origin"
)

// onPeerJob moves errors from an object's fields to the PeerJob's.
func onPeerJob(errs field.ErrorList, from *origin.Map) field.ErrorList {
	moved := make(field.ErrorList, len(errs))
	for i, err := range errs {
		there := *err
		there.Field = from.Of(objectPath(err.Field), err.BadValue)
		moved[i] = &there
	}
	return moved
}

// warningsOnPeerJob moves the server's warnings, which are text of the form
// "spec.template.spec.nodeSelector[x]: is deprecated", to the PeerJob's fields.
func warningsOnPeerJob(texts []string, from *origin.Map) []diag.Warning {
	var warnings []diag.Warning
	for _, text := range texts {
		path, message, found := strings.Cut(text, ": ")
		if !found || path != "data" && !strings.HasPrefix(path, "spec.") && !strings.HasPrefix(path, "metadata.") {
			path, message = "", text
		} else {
			path = from.Of(objectPath(path), nil)
		}
		warnings = append(warnings, diag.Warning{Field: path, Message: message})
	}
	return warnings
}

// objectPath is the path of a field in the object: the server leaves "metadata" out
// of the paths of a Pod template's labels and annotations.
func objectPath(path string) string {
	const template = "spec.template."
	for _, name := range []string{"labels", "annotations"} {
		if strings.HasPrefix(path, template+name) {
			return template + "metadata." + strings.TrimPrefix(path, template)
		}
	}
	return path
}
