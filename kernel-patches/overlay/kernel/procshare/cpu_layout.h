/* SPDX-License-Identifier: GPL-2.0-only */
/* procshare - the CPUs of several nodes, numbered node by node */
#ifndef _PROCSHARE_CPU_LAYOUT_H
#define _PROCSHARE_CPU_LAYOUT_H

#include <linux/bitmap.h>
#include <linux/cpumask_types.h>
#include <linux/types.h>

#include "coherence.h"
#include "transport.h"
#include "wire.h"

/* What a cpu_set_t of the C library holds: more CPUs would surprise programs. */
#define PROCSHARE_CPUS	1024

/**
 * struct cpu_layout - which numbers the CPUs of a node have
 * @total: numbers in use; 0: every node has its own, nothing is numbered
 * @base: number of a node's first CPU
 * @count: numbers of a node, of CPUs that may come online later too; 0: it has none
 * @online: CPUs that are there
 *
 * Filled once, constant afterwards.
 */
struct cpu_layout {
	unsigned int total;
	u16 base[PROCSHARE_MAX_NODES];
	u16 count[PROCSHARE_MAX_NODES];
	DECLARE_BITMAP(online, PROCSHARE_CPUS);
};

/**
 * struct node_cpus - the CPUs of one node, by its own numbers
 * @count: numbers in use (nr_cpu_ids)
 * @online: CPUs that are there
 */
struct node_cpus {
	unsigned int count;
	DECLARE_BITMAP(online, PROCSHARE_WIRE_CPUS);
};

/* Of this machine, as they are now. */
void node_cpus_own(struct node_cpus *cpus);
/* This machine's CPUs of @bits, a bitmap by its own numbers. */
void node_cpus_mask(struct cpumask *cpus, const unsigned long *bits);
/* False, and nothing is changed, if the node has too many CPUs. */
bool cpu_layout_add(struct cpu_layout *layout, unsigned int node,
		    const struct node_cpus *cpus);
/* The CPUs of @nodes that are there. */
void cpu_layout_mask(const struct cpu_layout *layout, coh_set nodes,
		     unsigned long *mask);
/* The nodes that have a CPU of @mask. */
coh_set cpu_layout_nodes(const struct cpu_layout *layout, const unsigned long *mask);
/* The CPUs of @mask that are @node's, by its own numbers: PROCSHARE_WIRE_CPUS bits. */
void cpu_layout_part(const struct cpu_layout *layout, unsigned int node,
		     const unsigned long *mask, unsigned long *part);

#endif /* _PROCSHARE_CPU_LAYOUT_H */
