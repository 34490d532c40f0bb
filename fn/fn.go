// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"

	"k8s.io/apimachinery/pkg/api/resource"
)

// DefaultMaxInput is the size above which input is refused, in bytes, unless
// Options say otherwise. 10,000 Deployments are 8 MB.
const DefaultMaxInput = 64 << 20

// Options are what the one who starts the function may set.
type Options struct {
	// MaxInput is the largest input to read, in bytes; 0 means DefaultMaxInput.
	MaxInput int64
	// BarrierImage is the default of spec.barrier.image: the image of the binary
	// that runs; "" when it has none.
	BarrierImage string
}

func (o Options) maxInput() int64 {
	if o.MaxInput > 0 {
		return o.MaxInput
	}
	return DefaultMaxInput
}

// Run is the KRM function: it reads a ResourceList from stdin, expands the
// PeerJobs in it and writes a ResourceList to stdout, whatever happens.
// Findings are in its results, and a line each on stderr.
//
// It returns ErrFailed when there were errors, and nothing was changed then;
// any other error is one of writing.
func Run(stdin io.Reader, stdout, stderr io.Writer, options Options) error {
	report := &results{}
	output := transform(stdin, report, options)
	report.write(stderr)
	if _, err := stdout.Write(output); err != nil {
		return fmt.Errorf("stdout: %w", err)
	}
	if report.failed() {
		return ErrFailed
	}
	return nil
}

// Refuse is Run for a function that can't be run: it writes an empty
// ResourceList which says why, and returns ErrFailed.
func Refuse(stdout, stderr io.Writer, reason error) error {
	report := &results{}
	report.errorf(nil, "%v", reason)
	report.write(stderr)
	if _, err := stdout.Write(unchanged(nil, report)); err != nil {
		return fmt.Errorf("stdout: %w", err)
	}
	return ErrFailed
}

// transform turns the input into the output. A panic, which no input should
// cause, becomes an error like any other.
func transform(stdin io.Reader, report *results, options Options) (output []byte) {
	data, err := ReadAll(stdin, options)
	if err != nil {
		report.errorf(nil, "stdin: %v", err)
		return unchanged(nil, report)
	}
	defer func() {
		if cause := recover(); cause != nil {
			report.list = nil
			report.errorf(nil, "internal error: %v; nothing was changed; please report this with the input at https://github.com/peerjob/peerjob/issues", cause)
			output = unchanged(data, report)
		}
	}()
	list, err := readResourceList(data)
	if err != nil {
		report.errorf(nil, "%v", err)
		return encodeList(list, report)
	}
	objects := make([]*object, len(list.items))
	for i, item := range list.items {
		objects[i] = newObject(item)
	}
	processed, _ := process(objects, list.functionConfig, options, nil, report)
	if !report.failed() {
		list.items = list.items[:0:0]
		for _, o := range processed {
			list.items = append(list.items, o.item())
		}
	}
	return encodeList(list, report)
}

// ReadAll reads everything, up to the limit which the options set.
func ReadAll(r io.Reader, options Options) ([]byte, error) {
	limit := min(options.maxInput(), math.MaxInt64-1)
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("is larger than %s; if that is meant, set --max-input or the variable PEERJOB_MAX_INPUT",
			resource.NewQuantity(limit, resource.BinarySI))
	}
	return data, nil
}

// encodeList encodes a list with the findings in it.
func encodeList(list *resourceList, report *results) []byte {
	var out bytes.Buffer
	err := list.write(&out, report.list)
	if errors.Is(err, errTooLarge) {
		report.errorf(nil, "stdin: %v", err)
		return unchanged(nil, report)
	}
	if err != nil {
		panic(err)
	}
	return out.Bytes()
}

// unchanged encodes the input with the findings in it, as far as it can be
// read.
func unchanged(data []byte, report *results) (output []byte) {
	defer func() {
		if cause := recover(); cause != nil {
			output = encodeList(&resourceList{apiVersion: resourceListAPIVersion}, report)
		}
	}()
	if data == nil {
		return encodeList(&resourceList{apiVersion: resourceListAPIVersion}, report)
	}
	list, _ := readResourceList(data)
	return encodeList(list, report)
}
