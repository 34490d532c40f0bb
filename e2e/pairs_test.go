// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/peerjob/peerjob/e2e/render"
)

var pairs = flag.Int("pairs", 0, "how many pairs of runs TestPairs measures; 10 for the table in README.md")

// TestPairs measures what the barrier costs: the Job of the documentation's page without
// it and with it, by each delivery of the runner, from its creation to its end. The
// forms run in turn, in another order each time, so that whatever else the machine does
// is the same for all. What counts is the median of the differences in a pair.
func TestPairs(t *testing.T) {
	if *pairs == 0 {
		t.Skip("run with -pairs 10, on an idle machine; it takes about 15 minutes")
	}
	peerJob := map[string]string{"job.yaml": asPeerJob(t, documentation(t))}
	settings := map[string]any{"images": taggedBash}
	forms := []struct {
		name    string
		patches []string
	}{
		{"no barrier", nil},
		{"barrier, init container", []string{barrier}},
		{"barrier, image volume", []string{barrier, imageVolume}},
	}
	began := loadAverage()
	var table strings.Builder
	for _, copies := range []int{*copies, 1} {
		medians := make([][]time.Duration, len(forms))
		for pair := range *pairs {
			for turn := range forms {
				form := (turn + pair) % len(forms)
				s := &series{name: forms[form].name, all: forms[form].patches != nil, copies: copies,
					layer: render.Layer{Files: peerJob, Settings: settings, Patches: forms[form].patches}}
				t.Run(fmt.Sprintf("%s, %d at once, pair %d", s.name, copies, pair+1), s.run)
				medians[form] = append(medians[form], s.median())
			}
		}
		for form, f := range forms {
			fmt.Fprintf(&table, "%d at once, %-24s median %5.1f s", copies, f.name, median(medians[form]).Seconds())
			if form > 0 {
				more := differences(medians[form], medians[0])
				slices.Sort(more)
				fmt.Fprintf(&table, ", %5.1f s more (%.1f to %.1f s in %d pairs)", median(more).Seconds(), more[0].Seconds(), more[len(more)-1].Seconds(), len(more))
			}
			table.WriteString("\n")
		}
	}
	t.Logf("load average before: %safter: %s%s", began, loadAverage(), table.String())
}

// differences are those of the pairs in which both had a Job that finished.
func differences(with, without []time.Duration) []time.Duration {
	var all []time.Duration
	for i := range with {
		if with[i] > 0 && without[i] > 0 {
			all = append(all, with[i]-without[i])
		}
	}
	if len(all) == 0 {
		return []time.Duration{0}
	}
	return all
}

// median is the middle one, or the middle of the two in the middle.
func median(times []time.Duration) time.Duration {
	if len(times) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(times))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// loadAverage is what the kernel says of the machine, whose own load the tests are.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return err.Error() + "\n"
	}
	return string(text)
}
