/* A pure room whose header brings the event loop. */
#include <uv.h>
