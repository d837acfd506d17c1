package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
)

type order struct {
	Method, Path, Type string
	Body               json.RawMessage
}

// send ends 1 when a request is refused.
func send(args []string) {
	var to api
	set := flag.NewFlagSet("bare send", flag.ExitOnError)
	to.flags(set)
	inFlight := set.Int("in-flight", 64, "`how many` requests are under way at a time")
	set.Parse(args)
	orders := readOrders()
	begin := time.Now()
	to.open()
	// The first request opens the connection that all others share.
	code, answer, err := to.send(order{Method: "GET", Path: "/version"})
	if err != nil || code != http.StatusOK {
		fail(1, "bare: the API server does not answer: %d %v %s\n", code, err, answer)
	}
	refused := sendAll(&to, orders, *inFlight)
	for _, line := range refused[:min(len(refused), 5)] {
		fmt.Fprintf(os.Stderr, "bare: %s\n", line)
	}
	var used syscall.Rusage
	seconds := time.Since(begin).Seconds()
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	json.NewEncoder(os.Stdout).Encode(map[string]any{
		"requests": len(orders), "refused": len(refused), "seconds": seconds,
		"cpuSeconds": float64(used.Utime.Nano()+used.Stime.Nano()) / 1e9, "peakMiB": float64(used.Maxrss) / 1024})
	if len(refused) > 0 {
		os.Exit(1)
	}
}

func readOrders() (orders []order) {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var one order
		check(json.Unmarshal(lines.Bytes(), &one))
		orders = append(orders, one)
	}
	check(lines.Err())
	return
}

// sendAll returns a line for each request that was refused.
func sendAll(to *api, orders []order, inFlight int) (refused []string) {
	var wait sync.WaitGroup
	var lock sync.Mutex
	queue := make(chan order)
	for range inFlight {
		wait.Go(func() {
			for one := range queue {
				if code, answer, err := to.send(one); err != nil || code >= 300 {
					lock.Lock()
					refused = append(refused, fmt.Sprintf("%s %s: %d %v %.300s", one.Method, one.Path, code, err, answer))
					lock.Unlock()
				}
			}
		})
	}
	for _, one := range orders {
		queue <- one
	}
	close(queue)
	wait.Wait()
	return
}

// send says again what the API server had no room for.
func (a *api) send(one order) (code int, answer []byte, err error) {
	for {
		request, err := http.NewRequest(one.Method, a.server+one.Path, strings.NewReader(string(one.Body)))
		if err != nil {
			return 0, nil, err
		}
		request.Header.Set("Content-Type", one.Type)
		a.authorize(request)
		response, err := a.client.Do(request)
		if err != nil {
			return 0, nil, err
		}
		answer, err = io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != http.StatusTooManyRequests {
			return response.StatusCode, answer, err
		}
		time.Sleep(100 * time.Millisecond)
	}
}
