// The oldest prometheus-operator that is tested with: its custom resource definitions alone, so nothing is built of it.
module inference-autoscaler.dev/hack/prometheus-operator-0.85

go 1.24.0

require github.com/prometheus-operator/prometheus-operator v0.85.0
