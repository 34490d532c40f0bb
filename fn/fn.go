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
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/pipeline"
	"github.com/peerjob/peerjob/internal/results"
)

// ErrFailed says that a run ended with errors. The run has reported all of them.
var ErrFailed = errors.New("there were errors")

// DefaultMaxInput is the default of Options.MaxInput, in bytes. 10,000 Deployments
// are 8 MB.
const DefaultMaxInput = 64 << 20

// Options are caller options.
type Options struct {
	// MaxInput is the largest input to read, in bytes. 0 means DefaultMaxInput.
	MaxInput int64
	// InputSize is the size of the input, in bytes, if the caller knows it: then Run has it
	// in memory only once. The input may be of any other size.
	InputSize int64
	// RunnerImage is the default of spec.runner.image. With "" a PeerJob that needs
	// the image must name it.
	RunnerImage string
}

func (o Options) maxInput() int64 {
	if o.MaxInput > 0 {
		return o.MaxInput
	}
	return DefaultMaxInput
}

// Run is the KRM function: it reads a ResourceList from stdin, expands its PeerJobs
// and writes a ResourceList to stdout, whatever happens. Findings are in its
// results, and on stderr as one line each.
//
// The error is ErrFailed when Run has reported errors; the items are unchanged then.
// Any other error comes from writing to stdout.
func Run(stdin io.Reader, stdout, stderr io.Writer, options Options) error {
	report := &results.Report{}
	data, err := ReadSized(stdin, options.InputSize, options)
	if err != nil {
		return refuse(stdout, stderr, report, fmt.Errorf("stdin: %w", err))
	}
	out := pipeline.Run(data, pipeline.Reader, pipeline.Options{RunnerImage: options.RunnerImage}, report)
	return write(out, stdout, stderr, report)
}

// Refuse is Run for a function that can't run: it writes an empty ResourceList that
// gives the reason, and returns ErrFailed or an error from writing to stdout.
func Refuse(stdout, stderr io.Writer, reason error) error {
	return refuse(stdout, stderr, &results.Report{}, reason)
}

func refuse(stdout, stderr io.Writer, report *results.Report, reason error) error {
	report.Errorf(nil, "%v", reason)
	return write(pipeline.Refuse(report), stdout, stderr, report)
}

// outputBuffer is the size of the pieces, in bytes, in which many small ones are
// written. A large one is written as it is.
const outputBuffer = 1 << 16

// write writes a list to stdout and the findings to stderr.
func write(list krmlist.Output, stdout, stderr io.Writer, report *results.Report) error {
	report.Write(stderr)
	out := bufio.NewWriterSize(stdout, outputBuffer)
	if err := cmp.Or(list(out), out.Flush()); err != nil {
		return fmt.Errorf("stdout: %w", err)
	}
	if report.Failed() {
		return ErrFailed
	}
	return nil
}

// checkFormat refuses a format that is not known. "" is the default.
func checkFormat[F ~string](format F, known ...F) error {
	if format == "" || slices.Contains(known, format) {
		return nil
	}
	return field.NotSupported(field.NewPath("Format"), format, known)
}

// ReadAll reads everything. More than Options.MaxInput is an error that says how to
// raise the limit.
func ReadAll(r io.Reader, options Options) ([]byte, error) { return ReadSized(r, 0, options) }

// ReadSized is [ReadAll] of something that has a size in bytes, as far as its reader
// knows: then it is in memory only once.
func ReadSized(r io.Reader, size int64, options Options) ([]byte, error) {
	limit := min(options.maxInput(), math.MaxInt64-1)
	data, err := readChunks(io.LimitReader(r, limit+1), int(min(size, limit)))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("is larger than %s; if that is meant, set --max-input or the variable PEERJOB_MAX_INPUT",
			resource.NewQuantity(limit, resource.BinarySI))
	}
	return data, nil
}

// readChunks reads everything into chunks and joins them at the end. One growing
// slice would leave several times the input behind. The first chunk has room for the
// expected size.
func readChunks(r io.Reader, expected int) ([]byte, error) {
	const first, largest = 1 << 14, 1 << 22
	var chunks [][]byte
	for size := max(first, expected+1); ; size = min(2*size, largest) {
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
