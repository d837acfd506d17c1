"""A real one-node Kubernetes, in the standard library and pinned programs; hack/cluster is its command line."""
