// A program of somebody else that uses peerjob as a library. TestConsumer builds and runs
// it against this repository.

module example.com/consumer

go 1.26.0

require (
	github.com/peerjob/peerjob v0.0.0
	k8s.io/api v0.37.2
	k8s.io/apimachinery v0.37.2
	sigs.k8s.io/yaml v1.6.0
)

replace github.com/peerjob/peerjob => ../..
