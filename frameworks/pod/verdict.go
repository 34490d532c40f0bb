// SPDX-License-Identifier: Apache-2.0

package pod

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Verdict is what the Job controller makes of the Pods that have ended, by
// their indexes and exit codes: reason is "" as long as it waits for more.
//
// It is stricter than the controller in one thing: there are no retries, so one
// failed Pod fails the Job, whatever the backoffLimit and the restartPolicy.
func (o *Objects) Verdict(ended map[int]int) (succeeded bool, reason string) {
	done := map[int]bool{}
	for index, code := range ended {
		if code != 0 {
			return false, fmt.Sprintf("index %d failed with exit code %d", index, code)
		}
		done[index] = true
	}
	if policy := o.Job.Spec.SuccessPolicy; policy != nil {
		for _, rule := range policy.Rules {
			counted := 0
			wanted := int(o.Size())
			if rule.SucceededIndexes != nil {
				indexes := parseIndexes(*rule.SucceededIndexes)
				wanted = len(indexes)
				for _, index := range indexes {
					if done[index] {
						counted++
					}
				}
			} else {
				counted = len(done)
			}
			if rule.SucceededCount != nil {
				wanted = int(*rule.SucceededCount)
			}
			if counted >= wanted {
				return true, "the successPolicy is met"
			}
		}
	}
	if len(done) == int(o.Size()) {
		return true, "every index succeeded"
	}
	return false, ""
}

// parseIndexes reads indexes such as "0,2-4", which the API server has checked.
func parseIndexes(text string) []int {
	var all []int
	for _, part := range strings.Split(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		from, err := strconv.Atoi(first)
		if err != nil {
			continue
		}
		to := from
		if isRange {
			to, _ = strconv.Atoi(last)
		}
		for index := from; index <= to; index++ {
			all = append(all, index)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
