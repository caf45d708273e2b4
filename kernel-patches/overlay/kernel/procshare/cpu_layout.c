// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - cpu_layout: the CPUs of several nodes, numbered node by node
 *
 * Masks of the whole have PROCSHARE_CPUS bits, those of a node PROCSHARE_WIRE_CPUS.
 */

#include <linux/cpumask.h>

#include "cpu_layout.h"

void node_cpus_own(struct node_cpus *cpus)
{
	unsigned int cpu;

	bitmap_zero(cpus->online, PROCSHARE_WIRE_CPUS);
	cpus->count = nr_cpu_ids;
	for_each_online_cpu(cpu)
		if (cpu < PROCSHARE_WIRE_CPUS)
			__set_bit(cpu, cpus->online);
}

void node_cpus_mask(struct cpumask *cpus, const unsigned long *bits)
{
	unsigned int cpu;

	cpumask_clear(cpus);
	for_each_possible_cpu(cpu)
		if (cpu < PROCSHARE_WIRE_CPUS && test_bit(cpu, bits))
			cpumask_set_cpu(cpu, cpus);
}

bool cpu_layout_add(struct cpu_layout *layout, unsigned int node,
		    const struct node_cpus *cpus)
{
	unsigned int cpu;

	if (!cpus->count || cpus->count > PROCSHARE_WIRE_CPUS ||
	    layout->total + cpus->count > PROCSHARE_CPUS)
		return false;
	layout->base[node] = layout->total;
	layout->count[node] = cpus->count;
	for_each_set_bit(cpu, cpus->online, cpus->count)
		__set_bit(layout->total + cpu, layout->online);
	layout->total += cpus->count;
	return true;
}

void cpu_layout_mask(const struct cpu_layout *layout, coh_set nodes,
		     unsigned long *mask)
{
	unsigned int node;

	bitmap_zero(mask, PROCSHARE_CPUS);
	for (node = 0; node < PROCSHARE_MAX_NODES; node++)
		if (nodes & coh_bit(node))
			bitmap_set(mask, layout->base[node], layout->count[node]);
	bitmap_and(mask, mask, layout->online, PROCSHARE_CPUS);
}

coh_set cpu_layout_nodes(const struct cpu_layout *layout, const unsigned long *mask)
{
	coh_set nodes = 0;
	unsigned int node;

	for (node = 0; node < PROCSHARE_MAX_NODES; node++) {
		unsigned long end = layout->base[node] + layout->count[node];

		if (find_next_bit(mask, end, layout->base[node]) < end)
			nodes |= coh_bit(node);
	}
	return nodes;
}

void cpu_layout_part(const struct cpu_layout *layout, unsigned int node,
		     const unsigned long *mask, unsigned long *part)
{
	unsigned int base = layout->base[node];
	unsigned int cpu;

	bitmap_zero(part, PROCSHARE_WIRE_CPUS);
	for (cpu = 0; cpu < layout->count[node]; cpu++)
		if (test_bit(base + cpu, mask))
			__set_bit(cpu, part);
}
