"""What the autoscalers of a cluster say, from the first moment on."""
import threading
import time

from kubernetes import client, watch


class Statuses(threading.Thread):
    """Every status that any autoscaler has had, from one watch: {(namespace, name): [(time, object)]}."""

    def __init__(self, api):
        super().__init__(daemon=True)
        self.api = client.CustomObjectsApi(api)
        self.seen, self.news = {}, threading.Condition()
        self.over = False

    def run(self):
        while not self.over:
            try:
                for event in watch.Watch().stream(self.api.list_cluster_custom_object, "inference-autoscaler.io",
                                                  "v1alpha1", "inferenceautoscalers",
                                                  # What the API server has at hand: with an etcd of before 3.5 a watch
                                                  # from its newest on awaits an event, however long none comes.
                                                  resource_version="0", timeout_seconds=300):
                    self.add(event)
            except Exception:  # the API server lost us, or we fell behind; the next list catches up
                time.sleep(1)

    def add(self, event):
        found = event["object"]
        key = (found["metadata"]["namespace"], found["metadata"]["name"])
        with self.news:
            self.seen.setdefault(key, []).append((time.monotonic(), None if event["type"] == "DELETED" else found))
            self.news.notify_all()

    def since(self, key, moment):
        """The conditions by type of each status of the spec as it then was, oldest first, with their times."""
        found = []
        for at, item in self.seen.get(key, []):
            if at >= moment and item:
                now = {c["type"]: c for c in item.get("status", {}).get("conditions", [])}
                if now and all(c.get("observedGeneration") == item["metadata"]["generation"] for c in now.values()):
                    found.append((at, now))
        return found

    def last(self, key):
        """The newest conditions, whenever they came."""
        found = self.since(key, 0)
        return found[-1][1] if found and self.seen[key][-1][1] else {}

    def wait(self, key, moment, wanted, seconds):
        """(time, conditions) of the first status since then that `wanted` takes; None when there is none in time."""
        deadline = time.monotonic() + seconds
        with self.news:
            while True:
                for at, now in self.since(key, moment):
                    if wanted(now):
                        return at, now
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                self.news.wait(left)

    def wait_now(self, key, wanted, seconds):
        """Whether the newest status is as `wanted`, in time."""
        deadline = time.monotonic() + seconds
        with self.news:
            while not wanted(self.last(key)):
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self.news.wait(left)
        return True
