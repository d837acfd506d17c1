package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"
)

// load asks for paths by chance at a fixed rate, whether or not the answers before have come.
func load(args []string) {
	var to api
	set := flag.NewFlagSet("bare load", flag.ExitOnError)
	to.flags(set)
	rate := set.Int("rate", 100, "`how many` a second")
	seconds := set.Int("seconds", 60, "how long")
	items := set.Int("items", 1, "how many items each answer must have")
	seed := set.Uint64("seed", 1, "of the choice")
	set.Parse(args)
	var paths []string
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		paths = append(paths, lines.Text())
	}
	to.open()
	if _, err := to.items("/version"); err != nil {
		fail(1, "bare: the API server does not answer: %v\n", err)
	}
	var lock sync.Mutex
	var wait sync.WaitGroup
	took, errors := []float64{}, map[string]int{}
	chance := rand.New(rand.NewPCG(*seed, 0))
	begin := time.Now()
	for i := range *rate * *seconds {
		due := begin.Add(time.Duration(i) * time.Second / time.Duration(*rate))
		time.Sleep(time.Until(due))
		path := paths[chance.IntN(len(paths))]
		wait.Go(func() {
			found, err := to.items(path)
			milliseconds := float64(time.Since(due).Microseconds()) / 1000
			if err == nil && found != *items {
				err = fmt.Errorf("%d items instead of %d", found, *items)
			}
			lock.Lock()
			defer lock.Unlock()
			took = append(took, milliseconds)
			if err != nil {
				errors[err.Error()]++
			}
		})
	}
	wait.Wait()
	slices.Sort(took)
	json.NewEncoder(os.Stdout).Encode(map[string]any{"tookMs": took, "errors": errors})
}

// items is how many items the list of a path has.
func (a *api) items(path string) (int, error) {
	request, err := http.NewRequest("GET", a.server+path, nil)
	if err != nil {
		return 0, err
	}
	a.authorize(request)
	response, err := a.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	var list struct {
		Message string
		Items   []json.RawMessage
	}
	json.Unmarshal(body, &list)
	if response.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("%d %.200s", response.StatusCode, list.Message)
	}
	return len(list.Items), nil
}
