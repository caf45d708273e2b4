// SPDX-License-Identifier: GPL-2.0-only
// What the two halves of a node's first process share: set the node up (init.c), then serve commands
// (agent.c).

#ifndef PROCSHARE_NODE_H
#define PROCSHARE_NODE_H

#include <stdint.h>

// Every message on the agent channel: this header, then length bytes. Integers are little-endian, as on every
// node.
struct frame {
    uint32_t length;
    uint32_t job;
    uint32_t type;
};

// From the host: run a job, type into its terminal, signal it. From the node: the rest.
enum frame_type {
    FRAME_RUN = 'R',
    FRAME_INPUT = 'I',
    FRAME_SIGNAL = 'S',
    FRAME_HELLO = 'H',
    FRAME_STARTED = 'P',
    FRAME_OUT = 'O',
    FRAME_ERR = 'E',
    FRAME_EXIT = 'X',
};

// The payload of FRAME_RUN: this, then cwd, arguments and environment as strings with their NUL, then the
// input.
struct run_request {
    uint32_t tty;
    uint32_t argc;
    uint32_t envc;
    uint32_t input_length;
};

struct signal_request {
    uint32_t signal;
    uint32_t whole_group;
};

// Never returns: the node ends when the host closes the channel.
_Noreturn void serve(void);

// Says what failed and why on the console, then ends the node (process 1 exiting is a panic).
_Noreturn void die(const char* what);

#endif
