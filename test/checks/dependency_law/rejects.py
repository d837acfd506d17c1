"""Proves that hack/checks/dependency_law rejects each broken tree, with the right message."""
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from proof import prove  # noqa: E402

# Tree → the whole of what must be printed.
EXPECTED = {
    "bad-pure-includes-net":
        "src/chain/links.c:2: room 'chain' must not include 'net/http_client.h' of room 'net'",
    "bad-pure-includes-kube":
        "src/reconcile/world.c:3: room 'reconcile' must not include 'kube/client.h' of room 'kube'",
    "bad-pure-includes-uv":
        "include/children/child.h:2: pure room 'children' must not include 'uv.h'",
    "bad-pure-asks-clock":
        "src/engine/page.c:13: pure room 'engine' must not ask the clock with 'clock_wall_ms': "
        "take the time as an argument",
    "bad-upward":
        "src/base/log.c:2: room 'base' must not include 'kube/client.h' of room 'kube'",
    "bad-engine-includes-api":
        "src/engine/presets.c:2: room 'engine' must not include 'api/autoscaler.h' of room 'api'",
    "bad-view-includes-children":
        "src/view/view.c:2: room 'view' must not include 'children/child.h' of room 'children'",
    "bad-adapter-includes-api":
        "src/adapter/adapter_rule.c:2: room 'adapter' must not include 'api/autoscaler.h' of room 'api'",
    "bad-report-includes-reconcile":
        "src/report/status.c:2: room 'report' must not include 'reconcile/reconcile.h' of room 'reconcile'",
    "bad-names-not-pure":
        "src/kube/resource.c:3: room 'kube' must not include 'net/http_client.h' of room 'net'",
    "bad-probe-includes-runtime":
        "src/probe/page.c:2: room 'probe' must not include 'runtime/controller.h' of room 'runtime'",
    "bad-unknown-room":
        "src/util/misc.c:1: room 'util' is not in the law: "
        "add it to LAW in hack/checks/dependency_law",
    "bad-climbs":
        "src/chain/links.c:2: '../kube/client.h' climbs out of its room: "
        "include by '<room>/<noun>.h'",
}

if __name__ == "__main__":
    sys.exit(prove(HERE, EXPECTED, "dependency_law: 2 files keep the law"))
