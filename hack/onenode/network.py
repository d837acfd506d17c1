"""The cluster's addresses, and the free loopback ports of a control plane."""

import random
import socket

SERVICES = "10.96.0.0/16"
API_SERVICE = "10.96.0.1"

# Below the range from which Linux takes ports for outgoing connections, so that none of them gets in between.
_PORTS = range(20000, 32000)


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(count):
    chosen = []
    for port in random.sample(_PORTS, len(_PORTS)):
        if is_free(port):
            chosen.append(port)
            if len(chosen) == count:
                break
    return chosen
