// SPDX-License-Identifier: Apache-2.0

//go:build linux

#include "textflag.h"

#define SYS_write 64
#define SIGINFO_SIZE 128
#define SI_CODE 8
#define SI_PID 16
// SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV and SIGSYS
#define FAULTS (1<<4 | 1<<5 | 1<<7 | 1<<8 | 1<<11 | 1<<31)

// handleSignal is a signal handler: R0 is the number, R1 the siginfo_t, R2 the context.
// It runs on the runtime's signal stack with all signals blocked. The kernel restores
// every register after it.
TEXT ·handleSignal(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	MOVW	SI_CODE(R1), R3
	CMPW	$0, R3
	BGT	kernel
	MOVW	SI_PID(R1), R3
	MOVW	·ownPid(SB), R4
	CMPW	R3, R4
	BEQ	runtime
	B	pass
kernel:
	MOVD	$1, R3
	LSL	R0, R3, R3
	MOVD	$FAULTS, R4
	TST	R3, R4
	BNE	runtime
pass:
	MOVW	·signalPipe(SB), R0
	MOVD	$SIGINFO_SIZE, R2
	MOVD	$SYS_write, R8
	SVC
	RET
runtime:
	MOVD	·runtimeHandler(SB), R3
	JMP	(R3)

GLOBL	·handlerAddress(SB), NOPTR, $8
DATA	·handlerAddress(SB)/8, $·handleSignal(SB)
