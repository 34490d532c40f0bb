// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"reflect"

	"github.com/peerjob/peerjob/api/v1alpha1"
)

// limits are the least and the largest value of a number.
type limits struct{ least, most int64 }

// limited is a number that the API bounds.
type limited struct {
	typ   reflect.Type
	field string
}

// limitsOf are the bounds to name when a number does not even fit its Go type.
// Validation has the same bounds.
var limitsOf = map[limited]*limits{
	{reflect.TypeFor[v1alpha1.PeerJobSpec](), "peers"}:                {1, v1alpha1.MaxPeers},
	{reflect.TypeFor[v1alpha1.PeerRole](), "peers"}:                   {1, v1alpha1.MaxPeers},
	{reflect.TypeFor[v1alpha1.PeerBarrier](), "startTimeoutSeconds"}:  {0, v1alpha1.MaxBarrierTimeoutSeconds},
	{reflect.TypeFor[v1alpha1.PeerBarrier](), "endTimeoutSeconds"}:    {1, v1alpha1.MaxBarrierTimeoutSeconds},
	{reflect.TypeFor[v1alpha1.PeerFailurePolicy](), "maxRestarts"}:    {0, v1alpha1.MaxRestarts},
	{reflect.TypeFor[v1alpha1.PeerFailurePolicy](), "backoffSeconds"}: {0, v1alpha1.MaxBackoffSeconds},
	{reflect.TypeFor[v1alpha1.PeerRunner](), "port"}:                  {v1alpha1.MinRunnerPort, v1alpha1.MaxPort},
	{reflect.TypeFor[v1alpha1.Framework](), "port"}:                   {1, v1alpha1.MaxPort},
	{reflect.TypeFor[v1alpha1.Framework](), "processesPerPeer"}:       {1, v1alpha1.MaxProcessesPerPeer},
}
