"""An API server of lists, watches, creates, server-side applies and deletes, in this process and without checks.

For tests of size: it answers thousands of writes in seconds, where a real one with its etcd takes minutes. What an
object may be, and who may write it, is asked of the real one by the other tests.
"""

import asyncio
import json
import re
import threading
import time

import yaml

PATH = re.compile(r"(?:/api|/apis/[^/]+)/[^/]+(?:/namespaces/(?P<ns>[^/]+)(?=/))?"
                  r"/(?P<type>[^/]+)(?:/(?P<name>[^/]+))?(?:/(?P<sub>[^/]+))?")
# Not served, so that what asks for them finds that they are not installed.
MISSING = {"prometheusagents", "scaledobjects"}


def merge(target, patch):
    for key, value in patch.items():
        if isinstance(value, dict) and isinstance(target.get(key), dict):
            merge(target[key], value)
        else:
            target[key] = value


def not_found():
    return 404, {
        "kind": "Status", "status": "Failure", "reason": "NotFound", "message": "404 page not found", "code": 404}


class QuickApiServer:
    """close() ends it. `objects` is {type: {(namespace, name): object}}, `written_at` when an object changed last."""

    def __init__(self):
        self.objects, self.watches, self.version, self.written_at = {}, [], 100, time.monotonic()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.server = self.call(asyncio.start_server(self.serve, "127.0.0.1", 0, limit=1 << 24))
        self.port = self.server.sockets[0].getsockname()[1]

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    def close(self):
        self.call(self.end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()

    async def end(self):
        self.server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def write_kubeconfig(self, path):
        path.write_text(yaml.safe_dump({
            "apiVersion": "v1", "kind": "Config", "current-context": "quick",
            "clusters": [{"name": "quick", "cluster": {"server": f"http://127.0.0.1:{self.port}"}}],
            "users": [{"name": "quick", "user": {}}],
            "contexts": [{"name": "quick", "context": {"cluster": "quick", "user": "quick"}}],
        }))
        return path

    def put(self, type, object):
        """Stores it, and tells the watches. Before the server is asked, or from its own thread."""
        self.version += 1
        metadata = object["metadata"]
        key = metadata.get("namespace", ""), metadata["name"]
        event = "MODIFIED" if key in self.objects.setdefault(type, {}) else "ADDED"
        metadata.setdefault("uid", f"uid-{self.version}")
        metadata.setdefault("creationTimestamp", "2026-01-01T00:00:00Z")
        metadata.setdefault("generation", 1)
        metadata["resourceVersion"] = str(self.version)
        self.objects[type][key] = object
        self.tell(type, key, event, object)

    def tell(self, type, key, event, object):
        for watched, picks, queue in self.watches:
            if watched == type and picks(key):
                queue.put_nowait((event, object))

    async def serve(self, reader, writer):
        try:
            while line := await reader.readline():
                method, target, _ = line.decode().split()
                length = 0
                while (header := await reader.readline()) not in (b"\r\n", b""):
                    if header.lower().startswith(b"content-length:"):
                        length = int(header.split(b":")[1])
                body = json.loads(await reader.readexactly(length)) if length else None
                path, _, query = target.partition("?")
                where = PATH.fullmatch(path)
                if where and "watch=true" in query and where["type"] not in MISSING:
                    await self.watch(writer, where, query)
                    return
                code, answer = self.answer(method, where, query, body)
                text = json.dumps(answer, separators=(",", ":")).encode()
                head = b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                writer.write(head % (code, len(text)) + text)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client is gone, or the server ends
        finally:
            writer.close()

    @staticmethod
    def picker(where, query):
        """Whether a key is in the namespace and has the name that are asked for."""
        name = re.search(r"fieldSelector=metadata\.name%3D([^&]+)", query)
        return lambda key: where["ns"] in (None, key[0]) and (not name or name[1] == key[1])

    async def watch(self, writer, where, query):
        """First all that there is, as sendInitialEvents asks for it."""
        queue, picks = asyncio.Queue(), self.picker(where, query)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        for key, object in list(self.objects.get(where["type"], {}).items()):
            if picks(key):
                queue.put_nowait(("ADDED", object))
        queue.put_nowait(("BOOKMARK", {"metadata": {
            "resourceVersion": str(self.version), "annotations": {"k8s.io/initial-events-end": "true"}}}))
        self.watches.append((where["type"], picks, queue))
        while True:
            event, object = await queue.get()
            line = json.dumps({"type": event, "object": object}).encode() + b"\n"
            writer.write(b"%x\r\n%s\r\n" % (len(line), line))
            await writer.drain()

    def create(self, type, ns, object):
        name = object["metadata"]["name"]
        if (ns, name) in self.objects.get(type, {}):
            return 409, {"kind": "Status", "status": "Failure", "reason": "AlreadyExists", "code": 409}
        self.written_at = time.monotonic()
        object["metadata"]["namespace"] = ns
        self.put(type, object)
        return 201, object

    def answer(self, method, where, query, body):
        if not where or where["type"] in MISSING:
            return not_found()
        type, key, picks = where["type"], (where["ns"] or "", where["name"]), self.picker(where, query)
        all = self.objects.get(type, {})
        if type == "events":
            return 201, body  # nobody reads it
        if method == "POST":
            return self.create(type, key[0], body)
        if method == "GET" and where["name"] is None:
            return 200, {"kind": "List", "metadata": {"resourceVersion": str(self.version)},
                         "items": [object for own, object in all.items() if picks(own)]}
        if method == "GET":
            return (200, all[key]) if key in all else not_found()
        self.written_at = time.monotonic()
        if method == "DELETE":
            if key not in all:
                return not_found()
            self.version += 1
            gone = all.pop(key)
            gone["metadata"]["resourceVersion"] = str(self.version)
            self.tell(type, key, "DELETED", gone)
            return 200, {"kind": "Status", "status": "Success"}
        object = json.loads(json.dumps(all.get(key, {"metadata": {}})))
        body["metadata"].pop("resourceVersion", None)
        if where["sub"]:
            object["status"] = body["status"]
        else:
            merge(object, body)
        object["metadata"] |= {"namespace": key[0], "name": key[1]}
        if object != all.get(key):
            self.put(type, object)
        return 200, object
