/* A pure room that reaches for the network. */
#include "net/http_client.h"
