// SPDX-License-Identifier: Apache-2.0

package pod

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// Objects are the objects of one namespace: Jobs, and what they refer to.
type Objects struct {
	// Job is the one that the methods are about, and Jobs are all, in their order.
	Job        *batchv1.Job
	Jobs       []*batchv1.Job
	Services   map[string]*corev1.Service
	ConfigMaps map[string]*corev1.ConfigMap
	Secrets    map[string]*corev1.Secret
	// Claims are the folders of PersistentVolumeClaims, which all Pods share.
	Claims map[string]string
}

// Decode reads the documents that were to be applied: Jobs, with Services, ConfigMaps
// and Secrets. An unknown field, another kind or a second Job of one name is an error. A
// NetworkPolicy is read, and nobody enforces it.
func Decode(documents []byte) (*Objects, error) {
	o := &Objects{
		Services:   map[string]*corev1.Service{},
		ConfigMaps: map[string]*corev1.ConfigMap{},
		Secrets:    map[string]*corev1.Secret{},
		Claims:     map[string]string{},
	}
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(documents)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := o.add(document); err != nil {
			return nil, err
		}
	}
	if len(o.Jobs) == 0 {
		return nil, errors.New("no Job")
	}
	o.Job = o.Jobs[0]
	return o, nil
}

// Each returns the objects for each Job: the same ones, with another Job.
func (o *Objects) Each() []*Objects {
	each := make([]*Objects, len(o.Jobs))
	for i, job := range o.Jobs {
		of := *o
		of.Job = job
		each[i] = &of
	}
	return each
}

// first is the place of the first Pod of the Job among those of all Jobs.
func (o *Objects) first() int {
	first := 0
	for _, job := range o.Jobs {
		if job == o.Job {
			break
		}
		first += int(size(job))
	}
	return first
}

func (o *Objects) add(document []byte) error {
	var meta metav1.TypeMeta
	if err := yaml.Unmarshal(document, &meta); err != nil {
		return err
	}
	switch meta.APIVersion + " " + meta.Kind {
	case " ":
		return nil // an empty document
	case "batch/v1 Job":
		job := &batchv1.Job{}
		if err := yaml.UnmarshalStrict(document, job); err != nil {
			return err
		}
		for _, other := range o.Jobs {
			if other.Name == job.Name {
				return fmt.Errorf("a second Job %s", job.Name)
			}
		}
		o.Jobs = append(o.Jobs, job)
		return nil
	case "networking.k8s.io/v1 NetworkPolicy":
		return yaml.UnmarshalStrict(document, &networkingv1.NetworkPolicy{})
	case "v1 Service":
		return addNamed(document, o.Services, func(s *corev1.Service) string { return s.Name })
	case "v1 ConfigMap":
		return addNamed(document, o.ConfigMaps, func(c *corev1.ConfigMap) string { return c.Name })
	case "v1 Secret":
		return addNamed(document, o.Secrets, func(s *corev1.Secret) string { return s.Name })
	}
	return fmt.Errorf("a %s of %s: not known here", meta.Kind, meta.APIVersion)
}

func addNamed[T any](document []byte, to map[string]*T, name func(*T) string) error {
	object := new(T)
	if err := yaml.UnmarshalStrict(document, object); err != nil {
		return err
	}
	to[name(object)] = object
	return nil
}

// Namespace is where the objects are applied: the namespace of the Job, or
// "default".
func (o *Objects) Namespace() string {
	if o.Job.Namespace != "" {
		return o.Job.Namespace
	}
	return metav1.NamespaceDefault
}

// Size is the number of Pods of the Job that run at the same time, one for each index.
func (o *Objects) Size() int32 { return size(o.Job) }

func size(job *batchv1.Job) int32 {
	if job.Spec.Completions == nil {
		return 0
	}
	return *job.Spec.Completions
}
