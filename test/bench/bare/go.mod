module inference-autoscaler.dev/bench/bare

go 1.26.0
