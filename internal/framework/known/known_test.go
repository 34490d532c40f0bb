// SPDX-License-Identifier: Apache-2.0

package known

import (
	"strings"
	"testing"
)

func TestMeant(t *testing.T) {
	for name, want := range map[string]string{
		"torch": "PyTorch Torchrun", "Pytorch": "PyTorch", "pytorhc": "PyTorch", "tensor": "TensorFlow", "mpi": "IntelMPI MPICH OpenMPI", "T": "", "": "",
		"Horovod": "", "deepspeed": "DeepSpeed", "torchrun": "Torchrun",
	} {
		if got := strings.Join(Meant(name), " "); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}
