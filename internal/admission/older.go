// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/origin"
	"github.com/peerjob/peerjob/internal/peerjob"
)

// refusedByOlder returns what a server of a version refuses and the newest one takes,
// with the first version that takes it. says is where that version comes from. Nothing is
// said of fields in tooNew, which such a server does not have at all.
func refusedByOlder(version, says string, tooNew field.ErrorList, objects []origin.Object) field.ErrorList {
	minor, asked := peerjob.Minor(version)
	if !asked || minor >= v1alpha1.NewestMinor {
		return nil
	}
	refused := refusedBy(minor, nil, objects)
	if len(refused) == 0 {
		return nil
	}
	known, _ := judge(v1alpha1.NewestMinor, objects)
	refused = refusedBy(minor, known, objects)
	var errs field.ErrorList
	for _, err := range refused {
		if !anyOverlaps(tooNew, err.Field) {
			errs = append(errs, err)
		}
	}
	// Each error goes to the first version that does not have it any more.
	open := errs
	for first := minor + 1; len(open) > 0 && first <= v1alpha1.NewestMinor; first++ {
		var still field.ErrorList
		if first < v1alpha1.NewestMinor {
			still = refusedBy(first, known, objects)
		}
		var later field.ErrorList
		for _, err := range open {
			if on(still, err.Field) {
				later = append(later, err)
				continue
			}
			err.Detail = fmt.Sprintf("needs Kubernetes 1.%d, and %s: %s", first, says, err.Detail)
		}
		open = later
	}
	return errs
}

// refusedLater parts the errors of the newest server into those that a server of one
// minor version has, too, and those that only later ones have: some rules became
// stricter, and such a server still takes the value.
func refusedLater(minor int, errs field.ErrorList, objects []origin.Object) (field.ErrorList, []diag.Warning) {
	var refused, open field.ErrorList
	older, _ := judge(minor, objects)
	for _, err := range errs {
		if anyOverlaps(older, err.Field) {
			refused = append(refused, err)
		} else {
			open = append(open, err)
		}
	}
	var later []diag.Warning
	for first := minor + 1; len(open) > 0 && first <= v1alpha1.NewestMinor; first++ {
		known := errs
		if first < v1alpha1.NewestMinor {
			known, _ = judge(first, objects)
		}
		open = slices.DeleteFunc(open, func(err *field.Error) bool {
			found := anyOverlaps(known, err.Field)
			if found {
				later = append(later, diag.Warning{Field: err.Field, Message: fmt.Sprintf("Kubernetes 1.%d and later refuse this: %s", first, err.ErrorBody())})
			}
			return found
		})
	}
	return refused, later
}

// refusedBy returns what a server of one minor version refuses on fields that
// the newest one has nothing against.
func refusedBy(minor int, known field.ErrorList, objects []origin.Object) field.ErrorList {
	all, _ := judge(minor, objects)
	var errs field.ErrorList
	for _, err := range all {
		if !on(known, err.Field) {
			errs = append(errs, err)
		}
	}
	return errs
}

// on reports whether there is an error on a field.
func on(errs field.ErrorList, path string) bool {
	for _, err := range errs {
		if err.Field == path {
			return true
		}
	}
	return false
}

// anyOverlaps reports whether there is an error on a field, below it, or on one
// that it lies below.
func anyOverlaps(errs field.ErrorList, path string) bool {
	for _, err := range errs {
		if err.Field == path || below(err.Field, path) || below(path, err.Field) {
			return true
		}
	}
	return false
}

// below reports whether a path lies below another.
func below(path, above string) bool {
	rest, found := strings.CutPrefix(path, above)
	return found && rest != "" && (rest[0] == '.' || rest[0] == '[')
}
