"""The cluster's addresses, and the free loopback ports of a control plane."""

import ipaddress
import random
import socket
import struct

SERVICES = "10.96.0.0/16"
API_SERVICE = "10.96.0.1"
DNS_SERVICE = "10.96.0.10"

# A cable between the machine and the node's network namespace, and what lies behind it.
LINK = "onenode"
NODE_LINK = "machine"
CABLE = "10.244.254.0/30"
HOST = "10.244.254.1"
NODE = "10.244.254.2"
PODS = "10.244.0.0/24"
API_PORT = 6443
NODE_SERVER = f"https://{NODE}:{API_PORT}"
DNS_PROBE = "kubernetes.default.svc.cluster.local"


def overlaps(destination):
    """Whether a route's destination, as ip writes it, meets the cluster's addresses."""
    if destination == "default":
        return False
    other = ipaddress.ip_network(destination, strict=False)
    return any(ipaddress.ip_network(own).overlaps(other) for own in (SERVICES, CABLE, PODS))


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


def resolves(server, name):
    """Whether a DNS server answers with an address, now."""
    question = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    address_record, internet, recursion_desired = 1, 1, 0x0100
    header = struct.pack("!6H", 1, recursion_desired, 1, 0, 0, 0)
    query = header + question + struct.pack("!2H", address_record, internet)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.settimeout(0.3)
        try:
            channel.sendto(query, (server, 53))
            answer = channel.recv(512)
        except OSError:
            return False
    _, flags, _, answers = struct.unpack("!4H", answer[:8])
    return flags & 0xF == 0 and answers > 0
