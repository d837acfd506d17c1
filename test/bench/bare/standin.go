package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// config is the file that says what the stand-ins play.
type config struct {
	Page                                string // file of the page that each pod serves
	Series                              string // those of its names that Prometheus gets, a regular expression
	Value                               string // what the metrics API and the HPAs say of each pod
	Metric                              string // the name of it there
	PagePort, Port, AdapterPort         int
	AdapterCertificate, AdapterKey      string
	AdapterNamespace, AdapterDeployment string
	Pods                                []pod
}

type pod struct{ Namespace, App, Name, IP string }

type world struct {
	config
	page, series   []byte
	byApp          map[string][]pod // "namespace/app", and "namespace/" for all of it
	pages, metrics atomic.Int64
	statuses       atomic.Int64 // of HPAs that were written
	read           sync.Map     // IP of a pod whose page was read: true
}

func standIn(args []string) {
	var to api
	set := flag.NewFlagSet("bare stand-in", flag.ExitOnError)
	to.flags(set)
	file := set.String("config", "", "`file` that says what to play")
	set.Parse(args)
	text, err := os.ReadFile(*file)
	check(err)
	var w world
	check(json.Unmarshal(text, &w.config))
	w.prepare()
	to.open()
	go w.playHorizontalPodAutoscalers(&to)
	go w.playAdapterDeployment(&to)
	go func() {
		check(http.ListenAndServeTLS(local(w.AdapterPort), w.AdapterCertificate, w.AdapterKey, w.metricsAPI()))
	}()
	go func() { check(http.ListenAndServe(local(w.Port), w.own())) }()
	// Every address of the loopback network is a pod's.
	check(http.ListenAndServe(fmt.Sprintf("0.0.0.0:%d", w.PagePort), w.podPages()))
}

func local(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

func (w *world) prepare() {
	var err error
	w.page, err = os.ReadFile(w.Page)
	check(err)
	w.byApp = map[string][]pod{}
	for _, p := range w.Pods {
		for _, key := range []string{p.Namespace + "/" + p.App, p.Namespace + "/"} {
			w.byApp[key] = append(w.byApp[key], p)
		}
	}
	w.series = w.makeSeries()
}

// makeSeries is what Prometheus would have scraped of all pods, labelled as prometheus-operator would have it.
func (w *world) makeSeries() []byte {
	var out strings.Builder
	sample := regexp.MustCompile(`(?m)^(` + w.Series + `)\{(.*)\} (\S+)$`)
	found := sample.FindAllStringSubmatch(string(w.page), -1)
	write := func(name, more, value string) {
		for _, p := range w.Pods {
			labels := fmt.Sprintf(`job="%s-metrics",service="%s-metrics",endpoint="ias-metrics",namespace="%s",pod="%s",`+
				`container="server",instance="%s:%d"`, p.App, p.App, p.Namespace, p.Name, p.IP, w.PagePort)
			fmt.Fprintf(&out, "%s{%s%s} %s\n", name, labels, more, value)
		}
	}
	fmt.Fprintf(&out, "# TYPE up gauge\n")
	write("up", "", "1")
	for _, s := range found {
		fmt.Fprintf(&out, "# TYPE %s gauge\n", s[1])
		write(s[1], ","+s[2], s[3])
	}
	return []byte(out.String())
}

// podPages is for this machine only.
func (w *world) podPages() http.HandlerFunc {
	return func(answer http.ResponseWriter, request *http.Request) {
		host, _, _ := net.SplitHostPort(request.RemoteAddr)
		if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() || request.URL.Path != "/metrics" {
			http.NotFound(answer, request)
			return
		}
		w.pages.Add(1)
		to, _, _ := net.SplitHostPort(request.Context().Value(http.LocalAddrContextKey).(net.Addr).String())
		w.read.Store(to, true)
		answer.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		answer.Write(w.page)
	}
}

// own serves the series for Prometheus, and what was counted; /forget begins anew to count whose page was read.
func (w *world) own() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/metrics", func(answer http.ResponseWriter, _ *http.Request) {
		answer.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		answer.Write(w.series)
	})
	mux.HandleFunc("/counts", func(answer http.ResponseWriter, _ *http.Request) {
		var pods int64
		w.read.Range(func(any, any) bool { pods++; return true })
		json.NewEncoder(answer).Encode(map[string]int64{"pods read": pods,
			"pages": w.pages.Load(), "adapter queries": w.metrics.Load(), "HPA statuses": w.statuses.Load()})
	})
	mux.HandleFunc("/forget", func(http.ResponseWriter, *http.Request) { w.read.Clear() })
	return mux
}

const metricsVersion = "custom.metrics.k8s.io/v1beta1"

var metricPath = regexp.MustCompile(`^/apis/` + metricsVersion + `/namespaces/([^/]+)/pods/\*/([^/]+)$`)

// metricsAPI is custom.metrics.k8s.io as prometheus-adapter serves it.
func (w *world) metricsAPI() http.HandlerFunc {
	return func(answer http.ResponseWriter, request *http.Request) {
		path, _ := url.PathUnescape(request.URL.EscapedPath())
		found := metricPath.FindStringSubmatch(path)
		switch {
		case path == "/apis/"+metricsVersion:
			writeJSON(answer, 200, map[string]any{
				"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": metricsVersion,
				"resources": []any{map[string]any{"name": "pods/" + w.Metric, "namespaced": true, "singularName": "",
					"kind": "MetricValueList", "verbs": []string{"get"}}}})
		case found != nil && found[2] == w.Metric:
			w.metrics.Add(1)
			app := strings.TrimPrefix(request.URL.Query().Get("labelSelector"), "app=")
			writeJSON(answer, 200, w.metricValues(found[1], app))
		default:
			writeJSON(answer, 404, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure",
				"reason": "NotFound", "code": 404})
		}
	}
}

func (w *world) metricValues(namespace, app string) any {
	items := []any{}
	now := time.Now().UTC().Format(time.RFC3339)
	for _, p := range w.byApp[namespace+"/"+app] {
		items = append(items, map[string]any{
			"describedObject": map[string]string{"kind": "Pod", "namespace": namespace, "name": p.Name, "apiVersion": "/v1"},
			"metricName":      w.Metric, "timestamp": now, "value": w.Value})
	}
	return map[string]any{"kind": "MetricValueList", "apiVersion": metricsVersion, "metadata": struct{}{}, "items": items}
}

func writeJSON(answer http.ResponseWriter, code int, body any) {
	answer.Header().Set("Content-Type", "application/json")
	answer.WriteHeader(code)
	json.NewEncoder(answer).Encode(body)
}
