// SPDX-License-Identifier: Apache-2.0

//go:build linux

#include "textflag.h"

#define SYS_write 1
#define SIGINFO_SIZE 128
#define SI_CODE 8
#define SI_PID 16
// SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV and SIGSYS
#define FAULTS (1<<4 | 1<<5 | 1<<7 | 1<<8 | 1<<11 | 1<<31)

// handleSignal is a signal handler: DI is the number, SI the siginfo_t, DX the context.
// It runs on the runtime's signal stack with all signals blocked. The kernel restores
// every register after it.
TEXT ·handleSignal(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	MOVL	SI_CODE(SI), AX
	TESTL	AX, AX
	JGT	kernel
	MOVL	SI_PID(SI), AX
	CMPL	AX, ·ownPid(SB)
	JEQ	runtime
	JMP	pass
kernel:
	MOVL	$FAULTS, AX
	BTL	DI, AX
	JCS	fault
pass:
	MOVL	·signalPipe(SB), DI
	MOVL	$SIGINFO_SIZE, DX
	MOVL	$SYS_write, AX
	SYSCALL
	RET
fault:
	// BTL takes the number modulo 32.
	CMPL	DI, $32
	JGE	pass
runtime:
	MOVQ	·runtimeHandler(SB), AX
	JMP	AX

GLOBL	·handlerAddress(SB), NOPTR, $8
DATA	·handlerAddress(SB)/8, $·handleSignal(SB)
