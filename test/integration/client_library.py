"""Serves metrics pages by the prometheus_client that is on PYTHONPATH, as the engines of Python do, until it is ended.

It is run as a program: its argument is JSON, {page: {series: value}}; it prints {page: port}. A series is a name, or
name{label="value",…}.
"""

import json
import re
import sys
import threading

from prometheus_client import CollectorRegistry, Gauge, start_http_server


def serve(page):
    registry, gauges = CollectorRegistry(), {}
    for series, value in page.items():
        name, labels = series.split("{")[0], dict(re.findall(r'(\w+)="([^"]*)"', series))
        if name not in gauges:
            gauges[name] = Gauge(name, "as the engine has it", list(labels), registry=registry)
        gauge = gauges[name].labels(**labels) if labels else gauges[name]
        gauge.set(value)
    server, _ = start_http_server(0, "127.0.0.1", registry=registry)
    return server.server_port


if __name__ == "__main__":
    print(json.dumps({name: serve(page) for name, page in json.loads(sys.argv[1]).items()}), flush=True)
    threading.Event().wait()
