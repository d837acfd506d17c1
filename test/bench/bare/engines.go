package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"regexp"
	"sync"
	"time"
)

// engines serves the pages of many pods, each an address of the loopback network, and knows who read which when.
type engines struct {
	before, after []byte // of the page, around the value
	delay         time.Duration
	lock          sync.Mutex
	values        map[string]int // of each pod, by its address
	reads         []read         // since the values were last set
}

type read struct {
	IP    string  `json:"ip"`
	Agent string  `json:"agent"`
	At    float64 `json:"at"` // of the wall, seconds
}

func runEngines(args []string) {
	set := flag.NewFlagSet("bare engines", flag.ExitOnError)
	file := set.String("page", "", "`file` of the page that each pod serves")
	series := set.String("series", "", "`name` of the page's series whose value can be set")
	port := set.Int("port", 0, "`port` of the pages")
	own := set.Int("own-port", 0, "`port` for who sets the values and asks for the reads")
	delay := set.Duration("delay", 0, "how long each pod takes to answer")
	set.Parse(args)
	page, err := os.ReadFile(*file)
	check(err)
	at := regexp.MustCompile(`(?m)^` + *series + `(?:\{.*\})? (\S+)$`).FindSubmatchIndex(page)
	if at == nil {
		fail(2, "bare: '%s' has no series '%s'\n", *file, *series)
	}
	e := &engines{before: page[:at[2]], after: page[at[3]:], delay: *delay, values: map[string]int{}}
	go func() { check(http.ListenAndServe(local(*own), e.own())) }()
	check(http.ListenAndServe(fmt.Sprintf("0.0.0.0:%d", *port), http.HandlerFunc(e.answer)))
}

func wall(at time.Time) float64 { return float64(at.UnixMicro()) / 1e6 }

// answer is for this machine only.
func (e *engines) answer(answer http.ResponseWriter, request *http.Request) {
	host, _, _ := net.SplitHostPort(request.RemoteAddr)
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() || request.URL.Path != "/metrics" {
		http.NotFound(answer, request)
		return
	}
	ip, _, _ := net.SplitHostPort(request.Context().Value(http.LocalAddrContextKey).(net.Addr).String())
	time.Sleep(e.delay)
	e.lock.Lock()
	value := e.values[ip]
	e.reads = append(e.reads, read{ip, request.UserAgent(), wall(time.Now())})
	e.lock.Unlock()
	var page bytes.Buffer
	page.Write(e.before)
	fmt.Fprintf(&page, "%d", value)
	page.Write(e.after)
	answer.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	answer.Write(page.Bytes())
}

// own has /set, which takes {address: value} and says when that was, and /reads.
func (e *engines) own() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /set", func(answer http.ResponseWriter, request *http.Request) {
		var values map[string]int
		if err := json.NewDecoder(request.Body).Decode(&values); err != nil {
			http.Error(answer, err.Error(), http.StatusBadRequest)
			return
		}
		e.lock.Lock()
		for ip, value := range values {
			e.values[ip] = value
		}
		e.reads = nil
		now := wall(time.Now())
		e.lock.Unlock()
		json.NewEncoder(answer).Encode(map[string]float64{"at": now})
	})
	mux.HandleFunc("GET /reads", func(answer http.ResponseWriter, _ *http.Request) {
		e.lock.Lock()
		reads := append([]read{}, e.reads...)
		e.lock.Unlock()
		json.NewEncoder(answer).Encode(reads)
	})
	return mux
}
