// SPDX-License-Identifier: Apache-2.0

package framework

import "testing"

func TestNearestType(t *testing.T) {
	for name, want := range map[string]string{
		"torch": "Torchrun", "Pytorch": "PyTorch", "pytorhc": "PyTorch", "tensor": "TensorFlow", "mpi": "MPICH", "T": "", "": "", "Horovod": "", "deepspeed": "DeepSpeed",
	} {
		if got := NearestType(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}
