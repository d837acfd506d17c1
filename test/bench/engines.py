"""The engines' pages, each of an address of this machine: their values are set, and who reads them is seen."""

import json
import urllib.request

from machine import answers, free_port, get, until
from world import BARE, PAGE

SERIES = "vllm:num_requests_running"


class Engines:
    """`port` is that of each page; the process is one of the world's, which ends it."""

    def __init__(self, world, delay="0s"):
        self.port, self.own = free_port(), free_port()
        self.process = world.start("engines", BARE, "engines", "--page", PAGE, "--series", SERIES, "--port", self.port,
                                   "--own-port", self.own, "--delay", delay)
        until("the engines", lambda: answers(self.url("/reads")), 30)

    def url(self, path):
        return f"http://127.0.0.1:{self.own}{path}"

    def set(self, values):
        """{address: value}, all at once; when that was, of the wall. The reads before are forgotten."""
        request = urllib.request.Request(self.url("/set"), data=json.dumps(values).encode(), method="POST")
        return json.loads(urllib.request.urlopen(request, timeout=30).read())["at"]

    def reads(self):
        """[{ip, agent, at}] since the values were set, in their order."""
        return json.loads(get(self.url("/reads")))
