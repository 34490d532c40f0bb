// SPDX-License-Identifier: Apache-2.0

// Package cluster applies manifests to a Kubernetes cluster and says what came
// of them: what the Job's conditions, the Pods and their logs say. It works the
// same on any cluster, and never renders or judges anything itself.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
)

// fieldManager is who the server says has applied the objects.
const fieldManager = "peerjob-e2e"

// Cluster is a client of a cluster.
type Cluster struct {
	kubernetes.Interface
	config  *rest.Config
	dynamic dynamic.Interface
	mapper  meta.RESTMapper
}

// Connect reads a kubeconfig file, and uses its current context.
func Connect(kubeconfig string) (*Cluster, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	// Eight Jobs at once ask for more than the client's own limits allow.
	config.QPS, config.Burst = 200, 400
	config.WarningHandler = rest.NoWarnings{}
	typed, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	untyped, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(typed.Discovery()))
	return &Cluster{Interface: typed, config: config, dynamic: untyped, mapper: mapper}, nil
}

// Apply applies a stream of YAML documents on the server's side, in their order,
// as "kubectl apply --server-side" does. A document without a namespace goes to
// the one given.
func (c *Cluster) Apply(ctx context.Context, namespace string, manifest []byte) error {
	documents := yaml.NewYAMLOrJSONDecoder(strings.NewReader(string(manifest)), 4096)
	for {
		object := &unstructured.Unstructured{}
		if err := documents.Decode(object); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if len(object.Object) == 0 {
			continue
		}
		if err := c.apply(ctx, namespace, object); err != nil {
			return fmt.Errorf("%s %s: %w", object.GetKind(), object.GetName(), err)
		}
	}
}

func (c *Cluster) apply(ctx context.Context, namespace string, object *unstructured.Unstructured) error {
	kind := object.GroupVersionKind()
	mapping, err := c.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return err
	}
	if own := object.GetNamespace(); own != "" {
		namespace = own
	}
	resource := c.dynamic.Resource(mapping.Resource)
	options := metav1.ApplyOptions{FieldManager: fieldManager, Force: true}
	if mapping.Scope.Name() == meta.RESTScopeNameRoot {
		_, err = resource.Apply(ctx, object.GetName(), object, options)
	} else {
		_, err = resource.Namespace(namespace).Apply(ctx, object.GetName(), object, options)
	}
	return err
}

// CreateNamespace makes a namespace with a name of the server's choice, and
// returns the name.
func (c *Cluster) CreateNamespace(ctx context.Context, labels map[string]string) (string, error) {
	ns, err := c.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "peerjob-e2e-", Labels: labels},
	}, metav1.CreateOptions{FieldManager: fieldManager})
	if err != nil {
		return "", err
	}
	return ns.Name, nil
}

// DeleteNamespace deletes a namespace and all in it, and does not wait for its
// end.
func (c *Cluster) DeleteNamespace(ctx context.Context, name string) error {
	// A Pod that is to end of itself would hold its namespace for its whole grace.
	_ = c.CoreV1().Pods(name).DeleteCollection(ctx, atOnce, metav1.ListOptions{})
	return c.CoreV1().Namespaces().Delete(ctx, name, metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationBackground)})
}

// atOnce deletes a Pod without the time that it has to end of itself. The server
// takes 0 for "remove it and don't wait for the node", which leaves the Pod
// running for a while.
var atOnce = metav1.DeleteOptions{GracePeriodSeconds: new(int64(1))}

// DeletePods deletes the Jobs of a namespace and their Pods, and returns when
// they are gone.
func (c *Cluster) DeletePods(ctx context.Context, namespace string) error {
	background := metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationOrphan)}
	if err := c.BatchV1().Jobs(namespace).DeleteCollection(ctx, background, metav1.ListOptions{}); err != nil {
		return err
	}
	for {
		if err := c.CoreV1().Pods(namespace).DeleteCollection(ctx, atOnce, metav1.ListOptions{}); err != nil {
			return err
		}
		pods, err := c.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
		if err != nil || len(pods.Items) == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d Pods in %s: %w", len(pods.Items), namespace, ctx.Err())
		case <-time.After(time.Second):
		}
	}
}

// Pods returns the Pods of a Job, in no order.
func (c *Cluster) Pods(ctx context.Context, namespace, job string) ([]corev1.Pod, error) {
	list, err := c.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: batchv1.JobNameLabel + "=" + job})
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}

// Index is the completion index of a Pod of an Indexed Job.
func Index(pod *corev1.Pod) string { return pod.Annotations[batchv1.JobCompletionIndexAnnotation] }

// Logs returns what a container has printed.
func (c *Cluster) Logs(ctx context.Context, pod *corev1.Pod, container string) (string, error) {
	text, err := c.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{Container: container}).DoRaw(ctx)
	return string(text), err
}

// FollowLog returns all that a container prints, when it has ended. Unlike Logs, it
// also has the last words of a container whose Pod is deleted.
func (c *Cluster) FollowLog(ctx context.Context, pod *corev1.Pod, container string) (string, error) {
	stream, err := c.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{Container: container, Follow: true}).Stream(ctx)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(stream)
	return string(text), errors.Join(err, stream.Close())
}

// dumped are the kinds of which Dump writes every object.
var dumped = []schema.GroupVersionResource{
	{Group: "batch", Version: "v1", Resource: "jobs"},
	{Version: "v1", Resource: "pods"},
	{Version: "v1", Resource: "services"},
	{Group: "discovery.k8s.io", Version: "v1", Resource: "endpointslices"},
	{Group: "networking.k8s.io", Version: "v1", Resource: "networkpolicies"},
	{Version: "v1", Resource: "events"},
}

// Dump returns what "kubectl get jobs,pods,services,endpointslices,networkpolicies,events
// -o json" prints of a namespace.
func (c *Cluster) Dump(ctx context.Context, namespace string) ([]byte, error) {
	all := &unstructured.UnstructuredList{Object: map[string]any{"apiVersion": "v1", "kind": "List"}}
	for _, kind := range dumped {
		list, err := c.dynamic.Resource(kind).Namespace(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", kind.Resource, err)
		}
		all.Items = append(all.Items, list.Items...)
	}
	return all.MarshalJSON()
}
