# SPDX-License-Identifier: GPL-2.0-only
#
# The page coherence machines of the kernel, as they are, for everything in
# userland that runs them.
#
#   coherence_names      the files of the machines
#   coherence_dir        where they are
#   coherence_sources    both together; coherence_headers: what they include
#   add_protocol(NAME SOURCE...)   the C library of one variant of them
#   coherence            the library of the machines for 64 nodes
include_guard(GLOBAL)

set(coherence_names coherence_home.c coherence_home_queue.c coherence_home_run.c coherence_home_loss.c
  coherence_node.c)
set(coherence_header_names coherence.h coherence_private.h coherence_home.h migratory.h)

get_filename_component(coherence_dir
  ${CMAKE_CURRENT_LIST_DIR}/../kernel-patches/overlay/kernel/procshare ABSOLUTE)
list(TRANSFORM coherence_names PREPEND ${coherence_dir}/ OUTPUT_VARIABLE coherence_sources)
list(TRANSFORM coherence_header_names PREPEND ${coherence_dir}/ OUTPUT_VARIABLE coherence_headers)

function(add_protocol name)
  add_library(${name} STATIC ${ARGN})
  target_include_directories(${name} PUBLIC ${coherence_dir})
  target_compile_options(${name} PRIVATE -std=gnu11 -Wall -Wextra)
endfunction()

add_protocol(coherence ${coherence_sources})
