// SPDX-License-Identifier: Apache-2.0

// Says where each process runs, and adds up the ranks of all.

#include <mpi.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv) {
	MPI_Init(&argc, &argv);
	int rank, size, sum = 0;
	char host[256];
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_size(MPI_COMM_WORLD, &size);
	gethostname(host, sizeof host);
	MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
	printf("hello from rank %d of %d on %s: the ranks add up to %d\n", rank, size, host, sum);
	MPI_Finalize();
	return 0;
}
