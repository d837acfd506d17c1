"""The API server seen by its administrator: the few questions that starting a cluster asks it."""

import http.client
import json
import ssl


class Api:
    def __init__(self, pki, host, port):
        self._host, self._port = host, port
        self._tls = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        self._tls.load_cert_chain(str(pki / "admin.crt"), str(pki / "admin.key"))

    def get(self, path):
        """The decoded answer; None while it is refused, missing or not there at all."""
        connection = http.client.HTTPSConnection(self._host, self._port, timeout=5, context=self._tls)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
        if response.status != 200:
            return None
        return json.loads(body) if body.startswith(b"{") else body.decode()

    def ready(self):
        return self.get("/readyz") == "ok"

    def condition(self, path, kind):
        """Whether an object has a condition of this kind that is True."""
        found = self.get(path) or {}
        return any(condition["type"] == kind and condition["status"] == "True"
                   for condition in found.get("status", {}).get("conditions", []))
