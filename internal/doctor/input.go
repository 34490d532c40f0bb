// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	eventsv1 "k8s.io/api/events/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/peerjob/peerjob/internal/decode"
	"github.com/peerjob/peerjob/internal/krmlist"
	inside "github.com/peerjob/peerjob/internal/runner/doctor"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// File is one file of the input.
type File struct {
	// Name is what findings call the file.
	Name string
	// Content is what is in it.
	Content []byte
}

// event is an Event of either API group.
type event struct {
	kind, namespace, name string
	uid                   types.UID
	reason, message       string
	last                  metav1.Time
}

// cluster has the objects of the input.
type cluster struct {
	// written are the objects that lint looks at.
	written []*krmlist.Object
	jobs    []*batchv1.Job
	crons   []*batchv1.CronJob
	// views are what peers see.
	views      []*view
	pods       []*corev1.Pod
	services   []*corev1.Service
	slices     []*discoveryv1.EndpointSlice
	policies   []*networkingv1.NetworkPolicy
	namespaces map[string]*corev1.Namespace
	// events are by the kind, the namespace and the name of their object, the latest last.
	events map[[3]string][]event
	// sources are the objects of the Jobs, and cronSources those of the CronJobs.
	sources     map[*batchv1.Job]*krmlist.Object
	cronSources map[*batchv1.CronJob]*krmlist.Object
}

// read reads the objects of files.
func read(files []File, r *report) *cluster {
	c := &cluster{namespaces: map[string]*corev1.Namespace{}, events: map[[3]string][]event{}, sources: map[*batchv1.Job]*krmlist.Object{}, cronSources: map[*batchv1.CronJob]*krmlist.Object{}}
	for _, file := range files {
		objects, errs := krmlist.ReadFile(file.Name, file.Content)
		for _, o := range objects {
			if err := errs[o]; err != nil {
				r.add(Finding{ID: unreadable, Severity: Error, Is: fmt.Sprintf("%s: %v", file.Name, err), Do: "write the input with kubectl get -o yaml, or -o json"})
				continue
			}
			if o.Kind != "" {
				c.object(o, 0)
			}
		}
	}
	for _, events := range c.events {
		slices.SortStableFunc(events, func(a, b event) int { return compareTimes(a.last, b.last) })
	}
	slices.SortStableFunc(c.pods, func(a, b *corev1.Pod) int {
		return cmp.Or(compareTimes(a.CreationTimestamp, b.CreationTimestamp), cmp.Compare(a.Name, b.Name))
	})
	slices.SortStableFunc(c.jobs, func(a, b *batchv1.Job) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return c
}

// compareTimes compares two times of objects.
func compareTimes(a, b metav1.Time) int {
	switch {
	case a.Before(&b):
		return -1
	case b.Before(&a):
		return 1
	}
	return 0
}

// maxNesting bounds lists in lists.
const maxNesting = 8

// object reads one object, or the items of a list.
func (c *cluster) object(o *krmlist.Object, depth int) {
	if items := yamlnode.Resolve(yamlnode.Get(o.Node(), "items")); items != nil && items.Kind == yaml.SequenceNode && strings.HasSuffix(o.Kind, "List") {
		for _, item := range items.Content {
			if item = yamlnode.Resolve(item); item.Kind == yaml.MappingNode && depth < maxNesting {
				c.object(krmlist.NewParsed(item), depth+1)
			}
		}
		return
	}
	switch o.Group() + "/" + o.Kind {
	case "batch/Job":
		job := typed[batchv1.Job](o)
		c.jobs = append(c.jobs, job)
		c.sources[job] = o
	case inside.ReportAPIVersion[:strings.IndexByte(inside.ReportAPIVersion, '/')] + "/" + inside.ReportKind:
		c.views = append(c.views, typed[view](o))
	case "batch/CronJob":
		cron := typed[batchv1.CronJob](o)
		c.crons = append(c.crons, cron)
		c.cronSources[cron] = o
	case "/Pod":
		c.pods = append(c.pods, typed[corev1.Pod](o))
	case "/Service":
		c.services = append(c.services, typed[corev1.Service](o))
		c.written = append(c.written, o)
	case "/Namespace":
		c.namespaces[o.Name] = typed[corev1.Namespace](o)
	case "/ConfigMap", "apps/StatefulSet":
		c.written = append(c.written, o)
	case "discovery.k8s.io/EndpointSlice":
		c.slices = append(c.slices, typed[discoveryv1.EndpointSlice](o))
	case "networking.k8s.io/NetworkPolicy":
		c.policies = append(c.policies, typed[networkingv1.NetworkPolicy](o))
	case "/Event":
		e := typed[corev1.Event](o)
		c.event(event{
			e.InvolvedObject.Kind, e.InvolvedObject.Namespace, e.InvolvedObject.Name, e.InvolvedObject.UID, e.Reason, e.Message,
			latest(e.LastTimestamp, e.FirstTimestamp, metav1.Time(e.EventTime), e.CreationTimestamp),
		})
	case "events.k8s.io/Event":
		e := typed[eventsv1.Event](o)
		c.event(event{
			e.Regarding.Kind, e.Regarding.Namespace, e.Regarding.Name, e.Regarding.UID, e.Reason, e.Note,
			latest(e.DeprecatedLastTimestamp, e.DeprecatedFirstTimestamp, metav1.Time(e.EventTime), e.CreationTimestamp),
		})
	}
}

// typed returns an object as its type, as far as it can be read: a newer server may have
// fields that this program does not know.
func typed[T any](o *krmlist.Object) *T {
	object, _ := decode.Object[T](o.Node())
	return object
}

func (c *cluster) event(e event) {
	e.message = strings.TrimPrefix(e.message, "(combined from similar events): ")
	key := [3]string{e.kind, e.namespace, e.name}
	c.events[key] = append(c.events[key], e)
}

// latest is the first time that is set.
func latest(times ...metav1.Time) metav1.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return metav1.Time{}
}

// lastEvent returns the latest event of an object with one of the reasons, nil if there is
// none. Those of an earlier object of the same name do not count.
func (c *cluster) lastEvent(kind string, object metav1.Object, reasons ...string) *event {
	events := c.events[[3]string{kind, object.GetNamespace(), object.GetName()}]
	for i := len(events) - 1; i >= 0; i-- {
		e := &events[i]
		if (e.uid == "" || object.GetUID() == "" || e.uid == object.GetUID()) && slices.Contains(reasons, e.reason) {
			return e
		}
	}
	return nil
}
