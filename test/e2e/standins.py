"""Manifests of what the tests put on the cluster: engines without a model, their users, and autoscalers of them."""

CONTAINER = {"imagePullPolicy": "IfNotPresent",
             "securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                 "capabilities": {"drop": ["ALL"]}}}
POD = {"terminationGracePeriodSeconds": 1,
       "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}}


def pod_template(labels, image, args, ports=(), **container):
    """A pod of the stand-in that meets the PodSecurity level restricted; ports are (name, number)."""
    return {
        "metadata": {"labels": labels},
        "spec": POD | {"containers": [CONTAINER | {
            "name": "server", "image": image, "args": list(args),
            "ports": [{"name": name, "containerPort": number} for name, number in ports],
        } | container]},
    }


def ready_when_healthy(port):
    return {"httpGet": {"path": "/health", "port": port}, "periodSeconds": 2}


def deployment(namespace, name, image, *args, port=8000, replicas=None, **spec):
    """An engine as a user has it: the pods are labelled app=NAME, and nothing in it knows of autoscaling."""
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": namespace},
        "spec": spec | ({} if replicas is None else {"replicas": replicas}) | {
            "selector": {"matchLabels": labels},
            "template": pod_template(labels, image, ["serve", *args], [("http", port)],
                                     readinessProbe=ready_when_healthy("http")),
        },
    }


def load(namespace, target, image, inflight):
    """The users of an engine, who keep so many requests in flight: a Service of its replicas, and Deployment load-TARGET."""
    name = f"load-{target}"
    return [
        {
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": target, "namespace": namespace},
            "spec": {"clusterIP": "None", "selector": {"app": target},
                     "ports": [{"port": 8000, "targetPort": "http"}]},
        },
        {
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": namespace},
            "spec": {
                "selector": {"matchLabels": {"app": name}},
                "template": pod_template({"app": name}, image, [
                    "load", "--url", f"http://{target}.{namespace}.svc:8000", "--inflight", str(inflight)]),
            },
        },
    ]


def autoscaler(namespace, name, max_replicas=5, **spec):
    """An InferenceAutoscaler of the Deployment of its name, with windows that are short enough to be watched."""
    return {
        "apiVersion": "inference-autoscaler.io/v1alpha1", "kind": "InferenceAutoscaler",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "maxReplicas": max_replicas, "scrapeInterval": "5s",
            "behavior": {"scaleUp": {"stabilizationWindowSeconds": 20}, "scaleDown": {"stabilizationWindowSeconds": 15}},
        } | spec,
    }
