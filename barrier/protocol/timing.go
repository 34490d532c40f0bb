// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"math"
	"time"
)

const (
	// PublishDelay is how long a process waits before its first report. Some DNS
	// servers remember for seconds that a name was missing, so nobody should ask
	// before it is likely to be published.
	PublishDelay = 500 * time.Millisecond
	// CallTimeout is how long a call may take, look-up included.
	CallTimeout = 3 * time.Second
	// quickTries is how often something that fails is tried again at the same pace,
	// before the pauses get longer: names and Pods take seconds to come.
	quickTries = 8
	// maxRetry is the longest pause between two tries of something that fails.
	maxRetry = 2 * time.Second
	// callGap is the shortest pause between two calls to one peer, so that
	// nobody can make index 0 call someone more often.
	callGap = 250 * time.Millisecond
	// reportGap is the shortest pause between two reports of a peer that is called
	// for the first time. See peer.gap.
	reportGap = 100 * time.Millisecond
	// leftWithLeader is how long a peer at its end tries to reach an index 0
	// which may leave before it, as [Config].Until says.
	leftWithLeader = 3 * time.Second
	// farewell is how long an index 0 that gives up tries to tell the others.
	farewell = 2 * time.Second
	// never is later than anything.
	never = time.Duration(math.MaxInt64)
)

// WaitInterval is the mean time between two reports of a peer which waits and
// is not called. It grows with the number of peers, so that index 0 hears at
// most 1,000 reports a second up to 60,000 peers.
func WaitInterval(size int32) time.Duration {
	return max(time.Second, retryInterval(size))
}

// retryInterval is the mean time after which the first report that failed is
// repeated.
func retryInterval(size int32) time.Duration {
	return between(250*time.Millisecond, time.Duration(size)*time.Millisecond, time.Minute)
}

// Heartbeat is the mean time between two reports of a peer which runs. It
// grows with the number of peers, so that index 0 hears at most 200 reports a
// second up to 60,000 peers.
func Heartbeat(size int32) time.Duration {
	return between(5*time.Second, time.Duration(size)*5*time.Millisecond, 5*time.Minute)
}

// GoneAfter is how long nothing must have been heard of a peer, or of index 0,
// for it to count as gone.
func GoneAfter(size int32) time.Duration { return 3 * Heartbeat(size) }

// tickInterval is how often index 0 looks at its records while anyone waits.
func tickInterval(size int32) time.Duration {
	return between(50*time.Millisecond, retryInterval(size)/8, 5*time.Second)
}

// linger is how long nothing must have been heard of a peer which waits, for
// index 0 to leave without it.
func linger(size int32) time.Duration { return 2*(CallTimeout+maxRetry) + 3*WaitInterval(size) }

// longer is a pause after a number of failures in a row: the same for the first
// ones, then doubled with each.
func longer(pause time.Duration, failures int) time.Duration {
	return pause << min(max(failures-quickTries, 0), 8)
}

func between(least, d, most time.Duration) time.Duration { return max(least, min(d, most)) }
