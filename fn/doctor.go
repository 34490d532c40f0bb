// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"bytes"
	"io"

	"github.com/peerjob/peerjob/internal/doctor"
	"github.com/peerjob/peerjob/internal/results"
)

// DoctorFormat is how Doctor writes what it finds.
type DoctorFormat string

const (
	// DoctorText writes two lines for each finding: what is so, and what to do.
	DoctorText DoctorFormat = "text"
	// DoctorJSON writes one JSON object with the lists "groups" and "findings".
	DoctorJSON DoctorFormat = "json"
)

// DoctorFormats returns the formats that Doctor can write.
func DoctorFormats() []DoctorFormat { return []DoctorFormat{DoctorText, DoctorJSON} }

// DoctorOptions are caller options of Doctor.
type DoctorOptions struct {
	// Format is how findings are written. The default is DoctorText.
	Format DoctorFormat
	// ClusterDomain is the DNS domain of the cluster. The default is "cluster.local".
	ClusterDomain string
}

// Doctor writes to stdout what keeps the peers of live Jobs apart. The files have what
// "kubectl get -o yaml" or "-o json" writes. As text, it writes the groups and the number
// of findings to stderr.
//
// The error is ErrFailed if one of the findings is an error.
func Doctor(files []File, stdout, stderr io.Writer, options DoctorOptions) (err error) {
	if err := checkFormat(options.Format, DoctorFormats()...); err != nil {
		return err
	}
	defer reportPanic(&results.Report{}, stderr, &err)
	input := make([]doctor.File, len(files))
	for i, file := range files {
		input[i] = doctor.File{Name: file.Name, Content: file.Content}
	}
	diagnosis := doctor.Files(input, doctor.Options{ClusterDomain: options.ClusterDomain})
	var out bytes.Buffer
	write := diagnosis.WriteText
	if options.Format == DoctorJSON {
		write = diagnosis.WriteJSON
	}
	if err := write(&out); err != nil {
		return err
	}
	if err := writeOut(stdout, out.Bytes()); err != nil {
		return err
	}
	if options.Format != DoctorJSON {
		_ = diagnosis.WriteSummary(stderr) // without stderr the exit code has to do
	}
	if diagnosis.Count(doctor.Error) > 0 {
		return ErrFailed
	}
	return nil
}
