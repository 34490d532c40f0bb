// SPDX-License-Identifier: Apache-2.0

package fn_test

import (
	"fmt"
	"os"
	"strings"

	"github.com/peerjob/peerjob/fn"
)

// A ResourceList goes in, and comes out with a Service and a Job.
func ExampleRun() {
	list := `apiVersion: config.kubernetes.io/v1
kind: ResourceList
items:
- apiVersion: peerjob.dev/v1alpha1
  kind: PeerJob
  metadata:
    name: train
  spec:
    peers: 2
    peerEnv: Disabled
    template:
      spec:
        containers:
        - name: worker
          image: registry.example.com/worker:1.0
`
	if err := fn.Run(strings.NewReader(list), os.Stdout, os.Stderr, fn.Options{}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// apiVersion: config.kubernetes.io/v1
	// kind: ResourceList
	// items:
	// - apiVersion: peerjob.dev/v1alpha1
	//   kind: PeerJob
	//   metadata:
	//     name: train
	//     annotations:
	//       config.kubernetes.io/local-config: "true"
	//   spec:
	//     peers: 2
	//     peerEnv: Disabled
	//     template:
	//       spec:
	//         containers:
	//         - name: worker
	//           image: registry.example.com/worker:1.0
	// - apiVersion: v1
	//   kind: Service
	//   metadata:
	//     name: train
	//     annotations:
	//       peerjob.dev/owner: train
	//   spec:
	//     clusterIP: None
	//     publishNotReadyAddresses: true
	//     selector:
	//       job-name: train
	// - apiVersion: batch/v1
	//   kind: Job
	//   metadata:
	//     name: train
	//     annotations:
	//       peerjob.dev/owner: train
	//   spec:
	//     completions: 2
	//     parallelism: 2
	//     completionMode: Indexed
	//     template:
	//       spec:
	//         subdomain: train
	//         restartPolicy: Never
	//         enableServiceLinks: false
	//         containers:
	//         - name: worker
	//           image: registry.example.com/worker:1.0
}

// One run reports every error, and writes no objects then.
func ExampleExpand() {
	file := fn.File{Name: "train.yaml", Content: []byte(`apiVersion: peerjob.dev/v1alpha1
kind: PeerJob
metadata:
  name: train
spec:
  peers: 0
  template:
    spec:
      containers:
      - name: worker
        imgae: registry.example.com/worker:1.0
`)}
	err := fn.Expand([]fn.File{file}, os.Stdout, os.Stdout, fn.ExpandOptions{})
	fmt.Println(err)
	// Output:
	// peerjob: train.yaml: PeerJob train: spec.peers: Invalid value: 0: must be between 1 and 100000
	// peerjob: train.yaml: PeerJob train: spec.template.spec.containers[0].imgae: Forbidden: unknown field; did you mean "image"?
	// there were errors
}

// The documents of files, with every PeerJob replaced by its objects.
func ExampleExpand_objects() {
	file := fn.File{Name: "train.yaml", Content: []byte(`apiVersion: peerjob.dev/v1alpha1
kind: PeerJob
metadata:
  name: train
spec:
  peers: 2
  peerEnv: Disabled
  templating: Enabled
  template:
    spec:
      containers:
      - name: worker
        image: "{{ .Values.image }}"
`)}
	err := fn.Expand([]fn.File{file}, os.Stdout, os.Stderr, fn.ExpandOptions{
		Values: []fn.ValuesFile{{Name: "values.yaml", Values: map[string]any{"image": "registry.example.com/worker:1.0"}}},
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// apiVersion: v1
	// kind: Service
	// metadata:
	//   name: train
	//   annotations:
	//     peerjob.dev/owner: train
	// spec:
	//   clusterIP: None
	//   publishNotReadyAddresses: true
	//   selector:
	//     job-name: train
	// ---
	// apiVersion: batch/v1
	// kind: Job
	// metadata:
	//   name: train
	//   annotations:
	//     peerjob.dev/owner: train
	// spec:
	//   completions: 2
	//   parallelism: 2
	//   completionMode: Indexed
	//   template:
	//     spec:
	//       subdomain: train
	//       restartPolicy: Never
	//       enableServiceLinks: false
	//       containers:
	//       - name: worker
	//         image: registry.example.com/worker:1.0
}

// Check says what is wrong, beside its line for GitHub.
func ExampleCheck() {
	file := fn.File{Name: "train.yaml", Content: []byte(`apiVersion: peerjob.dev/v1alpha1
kind: PeerJob
metadata:
  name: train
spec:
  peers: 0
  template:
    spec:
      containers:
      - name: worker
        image: registry.example.com/worker:1.0
`)}
	err := fn.Check([]fn.File{file}, os.Stdout, os.Stderr, fn.CheckOptions{Format: fn.CheckGitHub})
	fmt.Println(err)
	// Output:
	// ::error file=train.yaml,line=6,col=10,title=peerjob::PeerJob train: spec.peers: Invalid value: 0: must be between 1 and 100000
	// there were errors
}
