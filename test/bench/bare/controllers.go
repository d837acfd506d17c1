package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

const mergePatch = "application/merge-patch+json"

type object struct {
	Metadata struct {
		Namespace, Name string
		Generation      int64
	}
	Spec struct {
		Metrics []metric
	}
	Status struct {
		ObservedGeneration int64
		CurrentMetrics     []metric
		Conditions         []struct{ Type, Status string }
	}
}

type metric struct {
	Type           string
	Pods, External *struct {
		Metric struct{ Name string }
	}
}

func (m metric) name() string {
	switch {
	case m.Pods != nil:
		return m.Pods.Metric.Name
	case m.External != nil:
		return m.External.Metric.Name
	}
	return ""
}

// watch calls for each object of the path and for each of its changes, for good: a server that goes away comes again.
func (a *api) watch(path, query string, changed func(object)) {
	for ; ; time.Sleep(200 * time.Millisecond) {
		request, err := http.NewRequest("GET", a.server+path+"?watch=true&resourceVersion=0"+query, nil)
		check(err)
		a.authorize(request)
		response, err := a.client.Do(request)
		if err != nil {
			continue
		}
		events := json.NewDecoder(response.Body)
		for response.StatusCode == http.StatusOK {
			var event struct {
				Type   string
				Object object
			}
			if events.Decode(&event) != nil {
				break
			}
			if event.Type == "ADDED" || event.Type == "MODIFIED" {
				changed(event.Object)
			}
		}
		response.Body.Close()
	}
}

// playHorizontalPodAutoscalers writes the status of each HPA as its controller would that found the metric's value.
func (w *world) playHorizontalPodAutoscalers(to *api) {
	queue := make(chan object, 1<<16)
	for range 8 {
		go func() {
			for hpa := range queue {
				body, _ := json.Marshal(map[string]any{"status": w.hpaStatus(hpa)})
				path := fmt.Sprintf("/apis/autoscaling/v2/namespaces/%s/horizontalpodautoscalers/%s/status",
					hpa.Metadata.Namespace, hpa.Metadata.Name)
				if code, _, err := to.send(order{"PATCH", path, mergePatch, body}); err == nil && code == http.StatusOK {
					w.statuses.Add(1)
				}
			}
		}()
	}
	to.watch("/apis/autoscaling/v2/horizontalpodautoscalers", "", func(hpa object) {
		if !isSynced(hpa) {
			queue <- hpa
		}
	})
}

func isSynced(hpa object) bool {
	if len(hpa.Status.CurrentMetrics) != len(hpa.Spec.Metrics) || len(hpa.Status.Conditions) == 0 {
		return false
	}
	for i := range hpa.Spec.Metrics {
		if hpa.Status.CurrentMetrics[i].name() != hpa.Spec.Metrics[i].name() {
			return false
		}
	}
	return true
}

func (w *world) hpaStatus(hpa object) any {
	current := []any{}
	source := "" // of those that want the same the last one
	now := time.Now().UTC().Format(time.RFC3339)
	condition := func(kind, status, reason, message string) any {
		return map[string]string{"type": kind, "status": status, "reason": reason, "message": message,
			"lastTransitionTime": now}
	}
	for _, m := range hpa.Spec.Metrics {
		value := map[string]any{"metric": map[string]string{"name": m.name()},
			"current": map[string]string{"averageValue": w.Value}}
		if m.Pods != nil {
			current = append(current, map[string]any{"type": "Pods", "pods": value})
			source = "pods metric " + m.name()
		} else {
			current = append(current, map[string]any{"type": "External", "external": value})
			source = "external metric " + m.name()
		}
	}
	return map[string]any{
		"observedGeneration": hpa.Metadata.Generation, "currentReplicas": 1, "desiredReplicas": 1, "currentMetrics": current,
		"conditions": []any{
			condition("AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size"),
			condition("ScalingActive", "True", "ValidMetricFound",
				"the HPA was able to successfully calculate a replica count from "+source),
			condition("ScalingLimited", "False", "DesiredWithinRange", "the desired count is within the acceptable range"),
		},
	}
}

// playAdapterDeployment lets each of its rollouts take a second.
func (w *world) playAdapterDeployment(to *api) {
	path := fmt.Sprintf("/apis/apps/v1/namespaces/%s/deployments", w.AdapterNamespace)
	to.watch(path, "&fieldSelector=metadata.name%3D"+w.AdapterDeployment, func(d object) {
		if d.Metadata.Generation == d.Status.ObservedGeneration {
			return
		}
		time.Sleep(time.Second)
		now := time.Now().UTC().Format(time.RFC3339)
		body, _ := json.Marshal(map[string]any{"status": map[string]any{
			"observedGeneration": d.Metadata.Generation, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1,
			"availableReplicas": 1,
			"conditions": []any{
				map[string]string{"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable",
					"lastUpdateTime": now, "lastTransitionTime": now},
				map[string]string{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable",
					"lastUpdateTime": now, "lastTransitionTime": now},
			}}})
		to.send(order{"PATCH", path + "/" + w.AdapterDeployment + "/status", mergePatch, body})
	})
}
