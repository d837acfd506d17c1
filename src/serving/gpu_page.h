/*
 * What a DCGM exporter's page says of pods: for each the average over the GPUs that it holds, in percent, as the recording
 * rule has it (engine/gpu.h). Private to src/serving.
 */
#ifndef SERVING_GPU_PAGE_H
#define SERVING_GPU_PAGE_H

#include "engine/page.h"
#include "figures.h"

/* Before the page is read: what is looked for. */
void gpu_page_want(struct page *page);
/* The figure of a pod has its "namespace/name". */
void gpu_page_answer(const struct page *page, struct figures *figures);

#endif
