"""The command line of hack/cluster."""

import argparse
import json
import os
import sys
import textwrap

from . import images
from .failure import Failure
from .layout import Layout, default_state
from .loopback import Loopback
from .node import Node
from .progress import say

_NOT_READY = 3


def _up(cluster, arguments):
    if arguments.kubernetes and cluster.kind != Loopback.kind:
        raise Failure("--kubernetes is for control planes, since no node is built of another version; "
                      "say --control-plane-only too")
    if arguments.aggregate_to_endpoints and cluster.kind != Loopback.kind:
        raise Failure("--aggregate-to-endpoints is for control planes: on a node Services have addresses; "
                      "say --control-plane-only too")
    cluster.layout.lock(say, make=True)
    cluster.layout.create(cluster.kind)
    if arguments.kubernetes:
        cluster.layout.remember(kubernetes=arguments.kubernetes)
    more = [True] if arguments.aggregate_to_endpoints else []
    cluster.up(arguments.hpa_sync or cluster.hpa_sync, arguments.timeout, *more)
    say(f"up; export KUBECONFIG={cluster.layout.kubeconfig}")


def _down(cluster, arguments):
    if not cluster.layout.lock(say):
        say(f"there is nothing at '{cluster.layout.state}'")
        return
    cluster.down()
    cluster.layout.wipe()
    say("down")


def _status(cluster, arguments):
    layout = cluster.layout
    status = {"kind": None, "ready": False, "state": str(layout.state)}
    if layout.facts:
        status |= {"kind": cluster.kind, "kubeconfig": str(layout.kubeconfig), "logs": str(layout.logs),
                   "audit": str(layout.audit)} | cluster.status()
    if arguments.output == "json":
        print(json.dumps(status, indent=2))
    else:
        for name, value in status.items():
            if name != "components":
                print(f"{name:12} {value}")
        for name, pid in status.get("components", {}).items():
            print(f"  {name:24} {f'process {pid}' if pid else 'not running'}")
    return 0 if status["ready"] else _NOT_READY


def _kubeconfig(cluster, arguments):
    if not cluster.layout.kubeconfig.exists():
        raise Failure(f"there is no cluster at '{cluster.layout.state}'; run 'hack/cluster up' first")
    print(cluster.layout.kubeconfig)


def _load_image(cluster, arguments):
    if not cluster.layout.containerd_socket.exists():
        raise Failure(f"there is no node at '{cluster.layout.state}'; run 'hack/cluster up' first")
    for archive in arguments.archives:
        if not os.path.exists(archive):
            raise Failure(f"the archive '{archive}' does not exist")
    images.load(cluster.layout.containerd_socket, arguments.archives)
    say(f"loaded {len(arguments.archives)} images")


def _cluster(layout, control_plane_only):
    """The kind is known from the state folder once there is one."""
    kind = layout.facts.get("kind")
    return Loopback(layout) if control_plane_only or kind == Loopback.kind else Node(layout)


def _seconds(text):
    """A duration as kube-controller-manager writes it, of whole seconds."""
    if not text.removesuffix("s").isdigit() or int(text.removesuffix("s")) == 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of seconds such as 15s")
    return text.removesuffix("s") + "s"


def _parse(words):
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--state", metavar="DIR", help="the state folder (default: see below)")
    common.add_argument("--control-plane-only", action="store_true",
                        help="just etcd, kube-apiserver and kube-controller-manager, on loopback")
    parser = argparse.ArgumentParser(
        prog="hack/cluster", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="A real one-node Kubernetes on this machine, or just its control plane.",
        epilog=textwrap.dedent(f"""\
            The state folder is {default_state(False)}, and {default_state(True)}
            with --control-plane-only; XDG_STATE_HOME moves both. Several control planes may run at once, each in
            a state folder of its own.

            exit codes: 0 done (status: ready), 1 failed, 2 wrong usage, 3 status: not ready"""))
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    up = verbs.add_parser("up", parents=[common], help="start it, or whatever part of it does not run")
    up.add_argument("--hpa-sync", type=_seconds, metavar="SECONDS",
                    help="the HPA controller's period "
                         f"(default {Node.hpa_sync}; {Loopback.hpa_sync} with --control-plane-only)")
    up.add_argument("--kubernetes", metavar="VERSION",
                    help="another version that hack/tools has, such as 1.29; with --control-plane-only")
    up.add_argument("--aggregate-to-endpoints", action="store_true",
                    help="the API server asks the APIs behind Services at their endpoints; with --control-plane-only")
    up.add_argument("--timeout", type=int, default=120, metavar="SECONDS",
                    help="how long to wait for each part (default 120)")
    up.set_defaults(run=_up)
    down = verbs.add_parser("down", parents=[common], help="stop it and remove its state folder")
    down.set_defaults(run=_down)
    status = verbs.add_parser("status", parents=[common], help="tell how it is")
    status.add_argument("-o", "--output", choices=["text", "json"], default="text")
    status.set_defaults(run=_status)
    kubeconfig = verbs.add_parser("kubeconfig", parents=[common], help="print the path of its kubeconfig")
    kubeconfig.set_defaults(run=_kubeconfig)
    load = verbs.add_parser("load-image", parents=[common], help="import image archives (OCI or docker) into the node")
    load.add_argument("archives", nargs="+", metavar="ARCHIVE")
    load.set_defaults(run=_load_image)
    return parser.parse_args(words)


def main():
    arguments = _parse(sys.argv[1:])
    try:
        layout = Layout(arguments.state or default_state(arguments.control_plane_only))
        return arguments.run(_cluster(layout, arguments.control_plane_only), arguments) or 0
    except Failure as failure:
        print(f"hack/cluster: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read the output has seen enough ('hack/cluster status | head').
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
