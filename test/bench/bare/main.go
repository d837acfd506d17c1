// Bare is the benchmarks' other side: a client that only sends, and stand-ins for all that answers an operator.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"net/http"
	"os"
)

const usage = `usage: bare send|load|stand-in|engines|probe [options]

  send       sends the requests that stdin has, one in JSON a line ({"method", "path", "type", "body"}), many at a time
             on one HTTP/2 connection, and prints how long that took
  load       asks for the paths that stdin has, one a line, so many a second, and prints how long each answer took, in
             milliseconds, and what went wrong
  stand-in   serves the pods' pages, their series for Prometheus and the custom metrics API, and writes what the
             controllers of Deployments and HorizontalPodAutoscalers would
  engines    serves the pods' pages with values that can be set, and prints who read them to whoever asks
  probe      asks a URL every 50 ms until stdin ends, then prints when and how long each answer took, in milliseconds

Each has its own --help.
`

func main() {
	if len(os.Args) < 2 {
		fail(2, "%s", usage)
	}
	switch os.Args[1] {
	case "send":
		send(os.Args[2:])
	case "load":
		load(os.Args[2:])
	case "engines":
		runEngines(os.Args[2:])
	case "stand-in":
		standIn(os.Args[2:])
	case "probe":
		probe(os.Args[2:])
	case "-h", "--help":
		fmt.Print(usage)
	default:
		fail(2, "bare: unknown command '%s'\n%s", os.Args[1], usage)
	}
}

func fail(code int, format string, args ...any) {
	fmt.Fprintf(os.Stderr, format, args...)
	os.Exit(code)
}

func check(err error) {
	if err != nil {
		fail(1, "bare: %v\n", err)
	}
}

// api is how to reach the API server.
type api struct {
	server, authority, certificate, key, token string
	client                                     *http.Client
}

func (a *api) flags(set *flag.FlagSet) {
	set.StringVar(&a.server, "server", "", "`URL` of the API server")
	set.StringVar(&a.authority, "certificate-authority", "", "`file` of its CA")
	set.StringVar(&a.certificate, "client-certificate", "", "`file` of a client certificate")
	set.StringVar(&a.key, "client-key", "", "`file` of its key")
	set.StringVar(&a.token, "token", "", "bearer token, instead of a client certificate")
}

func (a *api) open() {
	pem, err := os.ReadFile(a.authority)
	check(err)
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	config.RootCAs.AppendCertsFromPEM(pem)
	if a.certificate != "" {
		pair, err := tls.LoadX509KeyPair(a.certificate, a.key)
		check(err)
		config.Certificates = []tls.Certificate{pair}
	}
	a.client = &http.Client{Transport: &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}}
}

func (a *api) authorize(request *http.Request) {
	if a.token != "" {
		request.Header.Set("Authorization", "Bearer "+a.token)
	}
}
