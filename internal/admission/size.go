// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"encoding/json"
	"fmt"
	"reflect"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/kubernetes/pkg/apis/batch"
	batchinternal "k8s.io/kubernetes/pkg/apis/batch/v1"

	"github.com/peerjob/peerjob/internal/apitype"
	"github.com/peerjob/peerjob/internal/diag"
)

const (
	// maxObjectSize is the largest object, in bytes, that etcd takes unless it
	// is told otherwise (--max-request-bytes).
	// See https://etcd.io/docs/latest/dev-guide/limit/.
	maxObjectSize = 1536 << 10
	// ownSize is what the server and etcd add to any Job, in bytes, at least: the
	// time of its creation, who created it, and its key.
	ownSize = 512
	// maxAnnotationsSize is how large all annotations of an object may be, in
	// bytes. Client-side "kubectl apply" puts the whole object into one.
	maxAnnotationsSize = 256 << 10
	// keySize is what the key of a named list element adds to managedFields, in
	// bytes, besides the name: "k:{\"name\":\"\"}":{".":{}},
	keySize = 32
)

// checkSize refuses a Job that the server would take and etcd would not, and
// warns of one that may be too large with what the server adds, or for
// client-side apply, on the field of the PeerJob that the Pod template is from. The size is
// that of what the server stores.
func checkSize(job *batchv1.Job, template func() string) (field.ErrorList, []diag.Warning) {
	size := job.Size()
	// What is smaller than this when it is stored is smaller as JSON, too.
	if size < maxAnnotationsSize/8 {
		return nil, nil
	}
	if stored, _, err := completeJob(job); err == nil {
		size = storedSize(stored)
	}
	if size > maxObjectSize-ownSize {
		return field.ErrorList{{Type: field.ErrorTypeTooLong, Field: template(), Detail: fmt.Sprintf(
			"the Job has %d bytes, and etcd takes no object of more than %d; put what is large into ConfigMaps and mount them", size, maxObjectSize-ownSize)}}, nil
	}
	if managed := managedSize(reflect.ValueOf(job).Elem()); size+managed > maxObjectSize-ownSize {
		return nil, []diag.Warning{{Field: template(), Message: fmt.Sprintf(
			"the Job has %d bytes, to which the server adds about %d in metadata.managedFields, and etcd takes no object of more than %d; put what is large into ConfigMaps and mount them",
			size, managed, maxObjectSize-ownSize)}}
	}
	if data, err := json.Marshal(job); err == nil && len(data) > maxAnnotationsSize {
		return nil, []diag.Warning{{Field: template(), Message: fmt.Sprintf(
			"the Job has %d bytes as JSON, and kubectl apply keeps at most %d of them in an annotation; use kubectl apply --server-side", len(data), maxAnnotationsSize)}}
	}
	return nil, nil
}

// storedSize is the size of a Job in the form in which the server stores it, in
// bytes: the protocol buffer of batch/v1.
func storedSize(job *batch.Job) int {
	stored := &batchv1.Job{}
	if err := batchinternal.Convert_batch_Job_To_v1_Job(job, stored, nil); err != nil {
		return 0
	}
	return stored.Size()
}

// managedSize estimates the size of the list in which the server keeps who set
// which field: about the name of every field, and a key for every list element
// that has a name.
func managedSize(value reflect.Value) int {
	switch value.Kind() {
	case reflect.Pointer:
		if !value.IsNil() {
			return managedSize(value.Elem())
		}
	case reflect.Slice:
		total := 0
		for i := range value.Len() {
			total += managedSize(value.Index(i))
		}
		return total
	case reflect.Struct:
		total := 0
		for _, f := range apitype.Of(value.Type()).Fields {
			content := value.FieldByIndex(f.Index)
			if content.IsZero() {
				continue
			}
			if f.Name == "name" && content.Kind() == reflect.String {
				total += keySize + content.Len()
			}
			total += len(`"f:":{},`) + len(f.Name) + managedSize(content)
		}
		return total
	}
	return 0
}
