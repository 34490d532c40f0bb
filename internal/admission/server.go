// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"sync"

	"k8s.io/apimachinery/pkg/util/version"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/klog/v2"

	"github.com/peerjob/peerjob/api/v1alpha1"
)

// asServer runs check with Kubernetes' feature gates as a server of the minor
// version has them by default. Validation, defaulting and the dropping of
// fields all read these gates, so that check sees what such a server says. The
// gates reach as far back as Kubernetes still knows them; what it has forgotten
// is in the table of features (features.go).
func asServer(minor int, check func()) {
	gates.enter(minor)
	defer gates.leave()
	check()
}

// emulation guards Kubernetes' feature gates, which the whole process shares:
// checks for the same version run at once, those for another one wait.
type emulation struct {
	mutex sync.Mutex
	free  *sync.Cond
	minor int
	users int
}

var gates = func() *emulation {
	e := &emulation{minor: v1alpha1.NewestMinor}
	e.free = sync.NewCond(&e.mutex)
	return e
}()

func (e *emulation) enter(minor int) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	for e.users > 0 && e.minor != minor {
		e.free.Wait()
	}
	if e.minor != minor {
		emulate(minor)
		e.minor = minor
	}
	e.users++
}

func (e *emulation) leave() {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if e.users--; e.users == 0 {
		e.free.Broadcast()
	}
}

// emulate sets the version of the gates. Kubernetes logs a change of gates
// that were read before; here the change is meant, and it is not logged.
func emulate(minor int) {
	gate := utilfeature.DefaultMutableFeatureGate.(interface {
		SetEmulationVersionWithLogger(klog.Logger, *version.Version) error
	})
	if err := gate.SetEmulationVersionWithLogger(klog.Logger{}, version.MajorMinor(1, uint(minor))); err != nil {
		// It refuses only gates that someone has set, and nobody sets any here.
		panic(err)
	}
}
