// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// row is a line of the table: what one program cost in one case.
type row struct {
	comparison, program string
	median, fastest     time.Duration
	// peak is the median of the peaks, in bytes.
	peak int64
	// times is the median in medians of the base.
	times float64
}

func newRows(c comparison, samples map[string][]sample) []row {
	rows := make([]row, 0, len(c.contenders))
	base := median(walls(samples[c.base]))
	for _, contender := range c.contenders {
		taken := walls(samples[contender.name])
		rows = append(rows, row{
			comparison: c.name,
			program:    contender.name,
			median:     median(taken),
			fastest:    slices.Min(taken),
			peak:       median(peaks(samples[contender.name])),
			times:      float64(median(taken)) / float64(base),
		})
	}
	return rows
}

// growth is how the cost of a program grows with the number of objects: the
// exponent between the two largest cases. 1 is linear, and 2 would be four times
// as long for twice as many.
type growth struct {
	of, program string
	from, to    int
	exponent    float64
}

// growthOf are the exponents of the cases "N PeerJobs" and "N Deployments".
func growthOf(rows []row) []growth {
	type series struct{ of, program string }
	last := map[series]growth{}
	medians := map[series]map[int]time.Duration{}
	var order []series
	for _, r := range rows {
		var n int
		var of string
		if count, err := fmt.Sscanf(r.comparison+" .", "%d %s .", &n, &of); err != nil || count != 2 || n < 1 {
			continue
		}
		key := series{strings.TrimSuffix(of, "s") + "s", r.program}
		if medians[key] == nil {
			medians[key] = map[int]time.Duration{}
			order = append(order, key)
		}
		if before := last[key].to; before > 0 {
			last[key] = growth{key.of, key.program, before, n, math.Log(float64(r.median)/float64(medians[key][before])) / math.Log(float64(n)/float64(before))}
		} else {
			last[key] = growth{of: key.of, program: key.program, to: n}
		}
		medians[key][n] = r.median
	}
	var all []growth
	for _, key := range order {
		if g := last[key]; g.from > 0 {
			all = append(all, g)
		}
	}
	return all
}

// writeGrowth writes the exponents in aligned columns.
func writeGrowth(w io.Writer, all []growth) error {
	lines := [][]string{{"growth", "program", "from", "to", "exponent"}}
	for _, g := range all {
		lines = append(lines, []string{g.of, g.program, strconv.Itoa(g.from), strconv.Itoa(g.to), fmt.Sprintf("%.2f", g.exponent)})
	}
	_, err := io.WriteString(w, align(lines))
	return err
}

func walls(samples []sample) []time.Duration {
	values := make([]time.Duration, 0, len(samples))
	for _, s := range samples {
		values = append(values, s.wall)
	}
	return values
}

func peaks(samples []sample) []int64 {
	values := make([]int64, 0, len(samples))
	for _, s := range samples {
		values = append(values, s.peak)
	}
	return values
}

// median is the middle value, or the mean of the two in the middle.
func median[T ~int64](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// writeTable writes the rows in aligned columns, with an empty line between
// the cases.
func writeTable(w io.Writer, rows []row) error {
	lines := [][]string{{"case", "program", "median ms", "min ms", "peak MB", "times peerjob"}}
	for i, r := range rows {
		if i > 0 && rows[i-1].comparison != r.comparison {
			lines = append(lines, nil)
		}
		lines = append(lines, []string{r.comparison, r.program,
			milliseconds(r.median), milliseconds(r.fastest), fmt.Sprintf("%.1f", float64(r.peak)/1e6), fmt.Sprintf("%.2f", r.times)})
	}
	_, err := io.WriteString(w, align(lines))
	return err
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f", float64(d)/float64(time.Millisecond))
}

// align pads the columns: the first two, which are text, on the right, and the
// numbers on the left.
func align(lines [][]string) string {
	const textColumns = 2
	widths := map[int]int{}
	for _, line := range lines {
		for column, cell := range line {
			widths[column] = max(widths[column], len(cell))
		}
	}
	var text strings.Builder
	for _, line := range lines {
		cells := make([]string, len(line))
		for column, cell := range line {
			padding := strings.Repeat(" ", widths[column]-len(cell))
			if column < textColumns {
				cells[column] = cell + padding
			} else {
				cells[column] = padding + cell
			}
		}
		fmt.Fprintln(&text, strings.Join(cells, "  "))
	}
	return text.String()
}
