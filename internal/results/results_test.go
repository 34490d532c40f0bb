// SPDX-License-Identifier: Apache-2.0

package results

import (
	"strings"
	"testing"

	kptfn "github.com/GoogleContainerTools/kpt-functions-sdk/go/fn"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/krmlist"
)

var (
	train = &krmlist.Object{APIVersion: "peerjob.dev/v1alpha1", Kind: "PeerJob", Namespace: "ml", Name: "train", ShownFile: "jobs/train.yaml", Index: 2}
	// piped has no file and no namespace.
	piped   = &krmlist.Object{APIVersion: "v1", Kind: "Service", Name: "hub"}
	unnamed = &krmlist.Object{}
)

// TestReport_Write has what a person reads on stderr.
func TestReport_Write(t *testing.T) {
	for name, test := range map[string]struct {
		add  func(r *Report)
		want string
	}{
		"nothing": {func(*Report) {}, ""},
		"an error of an object of a file": {
			func(r *Report) { r.Errorf(train, "is %s", "wrong") },
			"peerjob: jobs/train.yaml: PeerJob ml/train: is wrong\n",
		},
		"a warning of an object without a file":       {func(r *Report) { r.Warningf(piped, "is odd") }, "peerjob: warning: Service hub: is odd\n"},
		"an info about none":                          {func(r *Report) { r.Infof(nil, "done") }, "peerjob: info: done\n"},
		"an object without a kind and without a name": {func(r *Report) { r.Errorf(unnamed, "is wrong") }, "peerjob: is wrong\n"},
		"field errors": {
			func(r *Report) {
				r.AddErrors(train, field.ErrorList{
					field.Invalid(field.NewPath("spec", "peers"), 0, "must be between 1 and 100000"),
					field.Required(field.NewPath("metadata", "name"), ""),
				})
			},
			"peerjob: jobs/train.yaml: PeerJob ml/train: spec.peers: Invalid value: 0: must be between 1 and 100000\n" +
				"peerjob: jobs/train.yaml: PeerJob ml/train: metadata.name: Required value\n",
		},
		"warnings of a field and of the whole": {
			func(r *Report) {
				r.AddWarnings(train, []diag.Warning{{Field: "spec.peers", Message: "a"}, {Message: "b"}})
			},
			"peerjob: warning: jobs/train.yaml: PeerJob ml/train: spec.peers: a\npeerjob: warning: jobs/train.yaml: PeerJob ml/train: b\n",
		},
		"the order in which they were added": {
			func(r *Report) { r.Infof(nil, "1"); r.Errorf(nil, "2"); r.Warningf(nil, "3") },
			"peerjob: info: 1\npeerjob: 2\npeerjob: warning: 3\n",
		},
		"several lines are one": {func(r *Report) { r.Errorf(nil, "a\n  b\r\n\tc\u0085d") }, "peerjob: a b c d\n"},
		"no control sequence reaches a terminal": {
			func(r *Report) {
				r.Errorf(&krmlist.Object{Kind: "Job", Name: "a\x1b[31m"}, "b\x07 \u009b2J")
			},
			"peerjob: Job a\ufffd[31m: b\ufffd \ufffd2J\n",
		},
		"a panic takes the place of what was found before": {
			func(r *Report) { r.Warningf(train, "is odd"); r.AddPanic("index out of range") },
			"peerjob: internal error: index out of range; nothing was changed; please report this with the input at https://github.com/peerjob/peerjob/issues\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var r Report
			test.add(&r)
			var out strings.Builder
			r.Write(&out)
			if diff := cmp.Diff(test.want, out.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestReport_Results has what goes into the ResourceList.
func TestReport_Results(t *testing.T) {
	var r Report
	r.AddErrors(train, field.ErrorList{field.Invalid(field.NewPath("spec", "peers"), 0, "must be between 1 and 100000")})
	r.AddWarnings(piped, []diag.Warning{{Field: "spec", Message: "is odd"}, {Message: "is odd, too"}})
	r.Infof(nil, "done")
	want := kptfn.Results{
		{
			Severity: kptfn.Error, Message: "Invalid value: 0: must be between 1 and 100000",
			ResourceRef: &kptfn.ResourceRef{APIVersion: "peerjob.dev/v1alpha1", Kind: "PeerJob", Namespace: "ml", Name: "train"},
			File:        &kptfn.File{Path: "jobs/train.yaml", Index: 2},
			Field:       &kptfn.Field{Path: "spec.peers", CurrentValue: int64(0)},
		},
		{
			Severity: kptfn.Warning, Message: "is odd", ResourceRef: &kptfn.ResourceRef{APIVersion: "v1", Kind: "Service", Name: "hub"},
			Field: &kptfn.Field{Path: "spec"},
		},
		{Severity: kptfn.Warning, Message: "is odd, too", ResourceRef: &kptfn.ResourceRef{APIVersion: "v1", Kind: "Service", Name: "hub"}},
		{Severity: kptfn.Info, Message: "done"},
	}
	if diff := cmp.Diff(want, r.Results()); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
}

// TestReport_Results_currentValue has the values that a result shows beside its message.
func TestReport_Results_currentValue(t *testing.T) {
	path := field.NewPath("spec")
	for name, test := range map[string]struct {
		err  *field.Error
		want any
	}{
		"a string":                   {field.Invalid(path, "a", ""), "a"},
		"a named string":             {field.Invalid(path, field.ErrorTypeInvalid, ""), "FieldValueInvalid"},
		"a number":                   {field.Invalid(path, int32(7), ""), int64(7)},
		"a pointer":                  {field.Duplicate(path, new(int64(7))), int64(7)},
		"a pointer to a pointer":     {field.NotFound(path, new(new("a"))), "a"},
		"no pointer":                 {field.Invalid(path, (*string)(nil), ""), nil},
		"a boolean":                  {field.TypeInvalid(path, true, ""), true},
		"what was written":           {field.Invalid(path, diag.Literal{Text: "0o17"}, ""), "0o17"},
		"one of several":             {field.NotSupported(path, "b", []string{"a"}), "b"},
		"a map is none":              {field.Invalid(path, map[string]string{"a": "b"}, ""), nil},
		"a list is none":             {field.Invalid(path, []string{"a"}, ""), nil},
		"a missing field has none":   {field.Required(path, ""), nil},
		"a forbidden field has none": {field.Forbidden(path, ""), nil},
		"an internal error has none": {field.InternalError(path, field.Required(path, "")), nil},
	} {
		t.Run(name, func(t *testing.T) {
			var r Report
			r.AddErrors(train, field.ErrorList{test.err})
			if diff := cmp.Diff(test.want, r.Results()[0].Field.CurrentValue); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestReport_Failed(t *testing.T) {
	var r Report
	r.Infof(nil, "done")
	r.Warningf(nil, "is odd")
	if r.Failed() {
		t.Error("an info and a warning are no failure")
	}
	r.Errorf(nil, "is wrong")
	if !r.Failed() {
		t.Error("an error is a failure")
	}
	r.Infof(nil, "done")
	if !r.Failed() {
		t.Error("what comes after an error does not undo it")
	}
}
