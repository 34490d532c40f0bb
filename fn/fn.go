// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"bufio"
	"bytes"
	"cmp"
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
	write := transform(stdin, report, options)
	report.write(stderr)
	out := bufio.NewWriterSize(stdout, outputBuffer)
	if err := cmp.Or(write(out), out.Flush()); err != nil {
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
	if err := unchanged(nil, report)(stdout); err != nil {
		return fmt.Errorf("stdout: %w", err)
	}
	return ErrFailed
}

// outputBuffer is the size of the pieces, in bytes, in which many small ones are
// written. A large one is written as it is.
const outputBuffer = 1 << 16

// transform turns the input into the output. A panic, which no input should
// cause, becomes an error like any other.
func transform(stdin io.Reader, report *results, options Options) (out output) {
	data, err := ReadAll(stdin, options)
	if err != nil {
		report.errorf(nil, "stdin: %v", err)
		return unchanged(nil, report)
	}
	return transformList(data, report, options, readList)
}

// transformList is transform for a list that is read in some way.
func transformList(data []byte, report *results, options Options, read func([]byte) (inputList, error)) (out output) {
	defer func() {
		if cause := recover(); cause != nil {
			report.list = nil
			report.errorf(nil, "internal error: %v; nothing was changed; please report this with the input at https://github.com/peerjob/peerjob/issues", cause)
			out = unchanged(data, report)
		}
	}()
	l, err := read(data)
	objects := l.objects()
	if err != nil {
		report.errorf(nil, "%v", err)
	} else {
		objects, _ = process(objects, l.config(), options, nil, report)
	}
	return encodeList(l, objects, report)
}

// ReadAll reads everything, up to the limit which the options set.
func ReadAll(r io.Reader, options Options) ([]byte, error) {
	limit := min(options.maxInput(), math.MaxInt64-1)
	data, err := readChunks(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("is larger than %s; if that is meant, set --max-input or the variable PEERJOB_MAX_INPUT",
			resource.NewQuantity(limit, resource.BinarySI))
	}
	return data, nil
}

// readChunks reads everything into chunks that are joined at the end. Growing
// one piece instead would leave several times the input behind.
func readChunks(r io.Reader) ([]byte, error) {
	const first, largest = 1 << 14, 1 << 22
	var chunks [][]byte
	for size := first; ; size = min(2*size, largest) {
		chunk := make([]byte, size)
		n, err := io.ReadFull(r, chunk)
		chunks = append(chunks, chunk[:n])
		switch {
		case err == nil:
		case !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
			return nil, err
		case len(chunks) == 1:
			return chunks[0], nil
		default:
			return bytes.Join(chunks, nil), nil
		}
	}
}

// encodeList encodes a list with these objects and the findings in it.
func encodeList(l inputList, objects []*object, report *results) output {
	out, err := l.encode(objects, report.list)
	if errors.Is(err, errTooLarge) {
		report.errorf(nil, "stdin: %v", err)
		return unchanged(nil, report)
	}
	if err != nil {
		panic(err)
	}
	return out
}

// unchanged encodes the input with the findings in it, as far as it can be
// read.
func unchanged(data []byte, report *results) (out output) {
	empty := &resourceList{apiVersion: resourceListAPIVersion}
	defer func() {
		if cause := recover(); cause != nil {
			out = encodeList(empty, nil, report)
		}
	}()
	if data == nil {
		return encodeList(empty, nil, report)
	}
	l, _ := readList(data)
	return encodeList(l, l.objects(), report)
}
