package main

import (
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

const every = 50 * time.Millisecond

// probe opens a connection each time, as a kubelet does, and waits for no answer before it asks again.
func probe(args []string) {
	set := flag.NewFlagSet("bare probe", flag.ExitOnError)
	url := set.String("url", "", "what to ask")
	set.Parse(args)
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	found := [][2]float64{}
	failed := 0
	var lock sync.Mutex
	var wait sync.WaitGroup
	ended := make(chan bool)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	begin := time.Now()
	ticks := time.NewTicker(every)
	for over := false; !over; {
		select {
		case <-ended:
			over = true
		case <-ticks.C:
			wait.Go(func() {
				asked := time.Now()
				answer, err := client.Get(*url)
				took := time.Since(asked)
				lock.Lock()
				defer lock.Unlock()
				if err != nil || answer.StatusCode != http.StatusOK {
					failed++
				} else {
					answer.Body.Close()
				}
				found = append(found, [2]float64{asked.Sub(begin).Seconds(), float64(took.Microseconds()) / 1000})
			})
		}
	}
	wait.Wait()
	json.NewEncoder(os.Stdout).Encode(map[string]any{"failed": failed, "answers": found})
}
