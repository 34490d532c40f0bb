// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"slices"
	"strconv"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/lint"
	"github.com/peerjob/peerjob/internal/rules"
)

// Options are caller options.
type Options struct {
	// ClusterDomain is the DNS domain of the cluster. The default is "cluster.local".
	ClusterDomain string
}

// Diagnosis is what was found.
type Diagnosis struct {
	Groups   []Group   `json:"groups"`
	Findings []Finding `json:"findings"`
}

// Group is one group of peers.
type Group struct {
	Namespace string `json:"namespace,omitempty"`
	Job       string `json:"job"`
	Service   string `json:"service,omitempty"`
	// Peers is how many peers there are to be, and Running and Ready how many there are.
	Peers   int32 `json:"peers"`
	Running int32 `json:"running"`
	Ready   int32 `json:"ready"`
	// Views is how many peers say what they see, and Inside whether that is all there is:
	// the input does not have the Job.
	Views  int  `json:"views,omitempty"`
	Inside bool `json:"inside,omitempty"`
}

// group is a Job whose Pods are peers.
type group struct {
	job *batchv1.Job
	// pods are all Pods of the Job, in the order of their creation.
	pods []*corev1.Pod
	// peers are the Pods that stand for their index now: the latest that has not failed, or
	// else the latest. They are in the order of their indexes.
	peers []*corev1.Pod
	// stands are the same by their indexes; those without an index are not in it.
	stands map[int32]*corev1.Pod
	// service is the Service of the peers, nil if there is none.
	service *corev1.Service
	// roles are the groups of all roles of a PeerJob, this one among them; none without roles.
	roles []*group
	// size is how many peers there are to be.
	size int32
	// broken is whether lint has said why the names of the peers can't work.
	broken bool
}

// Files returns what keeps the peers of the Jobs in files apart.
func Files(files []File, options Options) Diagnosis {
	r := &report{}
	c := read(files, r)
	d := Diagnosis{Groups: []Group{}}
	candidates := c.groups()
	c.written = append(append(c.written, c.sourcesOf(candidates)...), c.waitingCrons(r)...)
	spoken := c.lint(candidates, options, r)
	// An Indexed Job may as well divide work among Pods that know nothing of each other.
	groups := slices.DeleteFunc(candidates, func(g *group) bool {
		return g.job.Spec.Template.Spec.Subdomain == "" && g.service == nil && !spoken[g.job.Namespace+"/"+g.job.Name]
	})
	all := c.viewsOf(groups)
	for _, g := range groups {
		d.Groups = append(d.Groups, g.summary(all))
		if condition := finished(g.job, batchv1.JobComplete); condition != nil {
			r.job(g, jobFinished, Note, "is complete since "+condition.LastTransitionTime.UTC().Format("2006-01-02 15:04:05Z")+"; its Pods have ended, and DNS no longer has their names", "")
		}
	}
	groups = slices.DeleteFunc(groups, func(g *group) bool { return finished(g.job, batchv1.JobComplete) != nil })
	findRoles(groups)
	for _, g := range groups {
		c.examine(g, r)
	}
	for _, v := range all {
		if v.live == nil {
			d.Groups = append(d.Groups, v.summary())
		}
		v.examine(r)
	}
	if len(d.Groups) == 0 && len(r.findings) == 0 {
		r.add(Finding{
			ID: noGroup, Severity: Warning, Is: "the input has no Job whose Pods are peers: one with a subdomain, or with a headless Service",
			Do: "write jobs, and everything else of the namespace, into the input: kubectl get jobs,pods,services,endpointslices,networkpolicies,events -n NAMESPACE -o yaml",
		})
	}
	d.Findings = append([]Finding{}, r.sort()...)
	return d
}

// findRoles finds the groups that are roles of one PeerJob: they are behind one Service, which
// selects the Pods of all.
func findRoles(groups []*group) {
	behind := map[*corev1.Service][]*group{}
	for _, g := range groups {
		if g.service != nil && g.service.Spec.Selector[v1alpha1.GroupLabel] != "" {
			behind[g.service] = append(behind[g.service], g)
		}
	}
	for _, g := range groups {
		if roles := behind[g.service]; len(roles) > 1 {
			g.roles = roles
		}
	}
}

// examine looks at the state of one group.
func (c *cluster) examine(g *group, r *report) {
	if !c.examineJob(g, r) {
		return
	}
	c.examinePods(g, r)
	c.examineService(g, r)
	c.examinePolicies(g, r)
}

// sourcesOf are the objects of the Jobs that lint is to look at: all but those that are
// complete, whose Service may be gone.
func (c *cluster) sourcesOf(groups []*group) []*krmlist.Object {
	complete := map[*batchv1.Job]bool{}
	for _, g := range groups {
		complete[g.job] = finished(g.job, batchv1.JobComplete) != nil
	}
	var sources []*krmlist.Object
	for _, job := range c.jobs {
		if !complete[job] {
			sources = append(sources, c.sources[job])
		}
	}
	return sources
}

// waitingCrons are the objects of the CronJobs of which no Job runs: lint looks at the Jobs
// of the others.
func (c *cluster) waitingCrons(r *report) []*krmlist.Object {
	var sources []*krmlist.Object
	for _, cron := range c.crons {
		runs := slices.ContainsFunc(c.jobs, func(job *batchv1.Job) bool {
			return job.Namespace == cron.Namespace && cronOf(job) == cron.Name &&
				finished(job, batchv1.JobComplete) == nil && finished(job, batchv1.JobFailed) == nil
		})
		if runs {
			continue
		}
		sources = append(sources, c.cronSources[cron])
		if cron.Spec.JobTemplate.Spec.Template.Spec.Subdomain == "" {
			continue
		}
		is, do := "has no Job that runs now; the next one starts by its schedule, "+cron.Spec.Schedule, "to have one now: kubectl create job --from=cronjob/"+cron.Name+" NAME"
		if cron.Spec.Suspend != nil && *cron.Spec.Suspend {
			is, do = "is suspended, so it makes no Jobs", "set spec.suspend to false"
		}
		r.add(Finding{ID: noJob, Severity: Note, Kind: "CronJob", Namespace: cron.Namespace, Name: cron.Name, Is: is, Do: do})
	}
	return sources
}

// cronOf is the name of the CronJob that made a Job, "" if none did.
func cronOf(job *batchv1.Job) string {
	for _, owner := range job.OwnerReferences {
		if owner.Kind == "CronJob" {
			return owner.Name
		}
	}
	return ""
}

// breaking are the ids of lint after which the names of peers can't work.
var breaking = []string{"service-missing", "service-namespace", "service-not-headless", "selector-mismatch", "subdomain-missing", "subdomain-mismatch", "completion-mode", "pod-hostname"}

// lint adds what lint says of the objects, and notes which groups it says all about. It
// returns the Jobs that lint says something of.
func (c *cluster) lint(groups []*group, options Options, r *report) map[string]bool {
	spoken := map[string]bool{}
	for _, found := range lint.Objects(c.written, lint.Options{ClusterDomain: options.ClusterDomain}) {
		f := Finding{ID: found.ID, Severity: found.Severity, Kind: found.Kind, Namespace: found.Namespace, Name: found.Name, Field: found.Field, Is: found.Message}
		f.split(c.cronOf(found))
		if found.ID == "service-missing" && len(c.services) == 0 && len(c.slices) > 0 {
			// EndpointSlices are those of Services, which somebody left out.
			f.ID, f.Severity, f.Is = inputIncomplete, Warning, "the input has EndpointSlices and no Services, so doctor does not know the Service of the peers"
			f.Do = "write services into the input, too"
		}
		r.add(f)
		if found.Kind == "Job" {
			spoken[found.Namespace+"/"+found.Name] = true
		}
		if found.Severity != Error || !slices.Contains(breaking, found.ID) {
			continue
		}
		for _, g := range groups {
			isJob := found.Kind == "Job" && found.Name == g.job.Name
			isService := found.Kind == "Service" && g.service != nil && found.Name == g.service.Name
			g.broken = g.broken || found.Namespace == g.job.Namespace && (isJob || isService)
		}
	}
	return spoken
}

// immutable are the fields of a Job that the API server does not let anybody change.
var immutable = []string{"spec.template", "spec.completionMode", "spec.selector"}

// cronOf is the name of the CronJob that made the Job of a finding, "" if none did.
func (c *cluster) cronOf(found lint.Finding) string {
	if found.Kind != "Job" {
		return ""
	}
	for _, job := range c.jobs {
		if job.Namespace == found.Namespace && job.Name == found.Name {
			return cronOf(job)
		}
	}
	return ""
}

// split parts a message of lint into what is so and what to do, which with live objects
// may take more than an edit. cron is the CronJob that made the Job, "" if none did.
func (f *Finding) split(cron string) {
	if at := strings.LastIndex(f.Is, "; "); at >= 0 && f.Is[at:] != "; write that" {
		f.Is, f.Do = f.Is[:at], f.Is[at+len("; "):]
	}
	f.Do = strings.TrimSuffix(f.Do, ", or lint both together")
	add := func(more string) { f.Do = strings.TrimPrefix(f.Do+"; "+more, "; ") }
	isImmutable := slices.ContainsFunc(immutable, func(path string) bool { return strings.HasPrefix(f.Field, path) })
	switch {
	case f.Severity == Error && f.Kind == "Job" && f.ID != "service-missing" && f.ID != "service-namespace" && isImmutable:
		if cron != "" {
			add("this can't be changed in a Job that exists: change spec.jobTemplate of the CronJob " + cron + ", and its next Job has it")
		} else {
			add("this can't be changed in a Job that exists: delete the Job and create it again")
		}
	case f.ID == "service-not-headless":
		add("clusterIP can't be changed: delete the Service and create it again with clusterIP: None")
	case f.ID == "selector-mismatch" && f.Do == "":
		f.Do = "change the selector; that can be done while the Pods run: kubectl edit service " + f.Name
	case f.Do != "":
	default:
		f.Do = "see docs/lint.md#" + f.ID
	}
}

// groups finds the Jobs whose Pods may be peers.
func (c *cluster) groups() []*group {
	services := map[string][]*corev1.Service{}
	for _, s := range c.services {
		services[s.Namespace] = append(services[s.Namespace], s)
	}
	pods := map[string][]*corev1.Pod{}
	for _, pod := range c.pods {
		if name := jobOf(pod); name != "" {
			key := pod.Namespace + "/" + name
			pods[key] = append(pods[key], pod)
		}
	}
	var groups []*group
	for _, job := range c.jobs {
		g := &group{job: job, size: sizeOf(job)}
		template := &job.Spec.Template
		for _, s := range services[job.Namespace] {
			switch {
			case template.Spec.Subdomain == s.Name:
				g.service = s
			case template.Spec.Subdomain == "" && g.service == nil && rules.IsIndexed(job) && rules.IsHeadless(s) && rules.Selects(s, template, job) != rules.SelectsNone:
				g.service = s
			}
		}
		if template.Spec.Subdomain == "" && g.service == nil && (!rules.IsIndexed(job) || g.size < 2) {
			continue
		}
		for _, pod := range pods[job.Namespace+"/"+job.Name] {
			if belongs(pod, job) {
				g.pods = append(g.pods, pod)
			}
		}
		g.findPeers()
		groups = append(groups, g)
	}
	return groups
}

// jobOf is the name of the Job of a Pod, "" if it has none.
func jobOf(pod *corev1.Pod) string {
	for _, owner := range pod.OwnerReferences {
		if owner.Kind == "Job" {
			return owner.Name
		}
	}
	return pod.Labels[batchv1.JobNameLabel]
}

// belongs reports whether a Pod is of this Job, and not of an earlier one of its name.
func belongs(pod *corev1.Pod, job *batchv1.Job) bool {
	for _, owner := range pod.OwnerReferences {
		if owner.Kind == "Job" && owner.UID != "" && job.UID != "" {
			return owner.UID == job.UID
		}
	}
	return true
}

// sizeOf is how many peers a Job has.
func sizeOf(job *batchv1.Job) int32 {
	switch {
	case job.Spec.Completions != nil:
		return *job.Spec.Completions
	case job.Spec.Parallelism != nil:
		return *job.Spec.Parallelism
	}
	return 1
}

// indexOf is the completion index of a Pod, -1 if it has none.
func indexOf(pod *corev1.Pod) int32 {
	text, found := pod.Annotations[batchv1.JobCompletionIndexAnnotation]
	if !found {
		text = pod.Labels[batchv1.JobCompletionIndexAnnotation]
	}
	index, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return -1
	}
	return int32(index)
}

// findPeers finds the Pods that stand for their index now.
func (g *group) findPeers() {
	g.stands = map[int32]*corev1.Pod{}
	for _, pod := range g.pods {
		index := indexOf(pod)
		if index < 0 {
			g.peers = append(g.peers, pod)
			continue
		}
		if old := g.stands[index]; old == nil || old.Status.Phase == corev1.PodFailed || pod.Status.Phase != corev1.PodFailed {
			g.stands[index] = pod
		}
	}
	for _, pod := range g.stands {
		g.peers = append(g.peers, pod)
	}
	slices.SortStableFunc(g.peers, func(a, b *corev1.Pod) int { return int(indexOf(a)) - int(indexOf(b)) })
}

func (g *group) summary(all []*views) Group {
	s := Group{Namespace: g.job.Namespace, Job: g.job.Name, Service: g.job.Spec.Template.Spec.Subdomain, Peers: g.size}
	for _, pod := range g.peers {
		if pod.Status.Phase == corev1.PodRunning {
			s.Running++
		}
		if isReady(pod) {
			s.Ready++
		}
	}
	for _, v := range all {
		if v.live == g {
			s.Views = len(v.all)
		}
	}
	return s
}

// job adds a finding about the Job of a group.
func (r *report) job(g *group, id string, severity Severity, is, do string) {
	r.add(Finding{ID: id, Severity: severity, Kind: "Job", Namespace: g.job.Namespace, Name: g.job.Name, Is: is, Do: do})
}

// service adds a finding about the Service of a group.
func (r *report) service(g *group, id string, severity Severity, is, do string) {
	r.add(Finding{ID: id, Severity: severity, Kind: "Service", Namespace: g.service.Namespace, Name: g.service.Name, Is: is, Do: do})
}
