"""One way in which the chain breaks, as a file of breakages/ describes it, and how it is played on a cluster.

  about       what happened, in a user's words
  scope       namespace: it hurts only its own namespace, and is played beside others. stack: it breaks what all share
  chain       requests (the default), gpu or direct: what it starts from, see breakages/usual. Those of direct are played on a
              cluster without a metric stack, the others on one with it
  start       Ready (the default): a chain that works. Nothing: the autoscaler is made after the breaking steps
  workload, autoscaler
              overrides of the usual objects; lists of named things are merged by name
  given       steps before everything else; after: steps when all is over
  break       steps
  expect      link (Advice is what is said although no link is broken), reason, says (pieces of the message), status
              (False by default). take: values that the message
              holds, as expressions with named groups, for the steps that mend. refused: pieces of the text with which
              the API server refuses the last breaking step. holds: so many seconds it must not change
  meanwhile   {link: reason} that may be said on the way there, or while it holds, because it is true for a while
  within      seconds allowed to say it, from the last breaking step that changes something
  mend        steps
  ready       seconds allowed from the last mending step to Ready, and until what was said of a Ready chain is gone

A step is a kubectl command, or one of
  {apply: object or list, by: MANAGER}     server-side, as this field manager (kubectl)
  {patch: KIND/NAME [-n NAMESPACE], with: merge patch, or a list of JSON patch operations}
  {forbid: KIND/NAME [-n NAMESPACE], resource: NAME, verbs: [VERB]}
                                           takes rights out of a role, which is kept as it was
  {keep: KIND/NAME [-n NAMESPACE]}         remembers an object; $uid is its uid
  {restore: KIND/NAME [-n NAMESPACE]}      puts it back as it was remembered
  {post: PATH, with: object}               to a path of the API server
  {freeze: NAME}, {thaw: NAME}             stops a program of the cluster's node, as a hang would, and lets it go on
  {deny: NAMESPACE, to: NAMESPACE}, {allow: NAMESPACE, to: NAMESPACE}
                                           drops what the pods of the first send to those of the second (the case's),
                                           as a NetworkPolicy does, and lets it through again
  {bar: NAMESPACE, port: PORT}             drops what the node, and so the control plane, sends to a port of its pods, until it
                                           is allowed
  {divert: NAMESPACE, port: PORT, at: PORT}
                                           leads what its pods send to a port of the case's to another port of the same
                                           pod, as the proxy of a mesh does, until it is allowed
  {repeat: step}, {cease: step}            plays it now and then each second, and stops that
in the case's namespace unless it names another. $NAMESPACE, $IMAGE and what was taken are replaced in it.
"""
import json
import os
import pathlib
import re
import shlex
import string
import subprocess
import sys
import threading
import time

import yaml

from conftest import DIRECT, Kube

sys.path.append(str(pathlib.Path(__file__).parents[2] / "hack"))
from onenode.layout import Layout, default_state  # noqa: E402
from onenode.namespace import Namespace  # noqa: E402

FOLDER = pathlib.Path(__file__).parent / "breakages"
# Built where the image is made from it.
PROGRAM = pathlib.Path(__file__).parents[2] / "build" / "release" / "inference-autoscaler"
LINKS = ("Accepted", "TargetFound", "TargetExclusive", "MetricsExposed", "ScrapeSelected", "ScrapeHealthy", "SeriesFresh",
         "SeriesRecorded", "AdapterConfigured", "MetricServed", "ScalingActive")
# An Unknown that says only that something is under way.
WAITING = {"Probing", "UpstreamPending", "UpstreamBroken", "RollingOut", "AwaitingHPA", "Waiting"}


def merge(base, over):
    """`over` on top of `base`; null removes, lists of named things are merged by name."""
    if isinstance(base, dict) and isinstance(over, dict):
        merged = {key: merge(base.get(key), value) for key, value in over.items()}
        return {key: value for key, value in (base | merged).items() if value is not None}
    if isinstance(base, list) and isinstance(over, list) and all(isinstance(x, dict) and "name" in x for x in base + over):
        known = {item["name"]: item for item in base}
        return list((known | {item["name"]: merge(known.get(item["name"]), item) for item in over}).values())
    return over


def fill(told, values):
    """Replaces $NAME in all that is text."""
    if isinstance(told, str):
        return string.Template(told).safe_substitute(values)
    if isinstance(told, list):
        return [fill(item, values) for item in told]
    if isinstance(told, dict):
        return {fill(key, values): fill(value, values) for key, value in told.items()}
    return told


class Case:
    """A file of breakages/."""

    def __init__(self, path):
        self.name = path.stem
        told = yaml.safe_load(path.read_text())
        self.about, self.scope = told.pop("about"), told.pop("scope")
        self.chain, self.start = told.pop("chain", "requests"), told.pop("start", "Ready")
        self.workload, self.autoscaler = told.pop("workload", {}), told.pop("autoscaler", {})
        self.given, self.after = told.pop("given", []), told.pop("after", [])
        self.breaking, self.mend = told.pop("break", []), told.pop("mend", [])
        self.expect = told.pop("expect")
        self.meanwhile = set(told.pop("meanwhile", {}).items())
        self.within, self.ready = told.pop("within", 40), told.pop("ready", 120)
        self.link, self.reason = self.expect["link"], self.expect.get("reason")
        self.status = str(self.expect.get("status", False))
        assert not told, f"{path.name}: unknown members {sorted(told)}"
        assert self.scope in ("namespace", "stack") and self.start in ("Ready", "Nothing"), path.name
        assert self.link in LINKS + ("Ready", "Advice"), f"{path.name}: no link '{self.link}'"

    @property
    def shares_chain(self):
        """Cases that break what all share start from the same chains, one after the other."""
        return self.chain == "gpu" or (self.scope == "stack" and self.start == "Ready"
                                       and not (self.workload or self.autoscaler or self.given))

    @property
    def namespace(self):
        return f"brk-{self.chain if self.shares_chain else self.name}"

    @property
    def order(self):
        """The worst for others come last."""
        return (self.scope == "stack", self.name)

    def objects(self, image):
        """The workload and the autoscaler."""
        values = {"NAMESPACE": self.namespace, "IMAGE": image}
        usual = yaml.safe_load_all((FOLDER / "usual" / f"{self.chain}.yaml").read_text())
        overrides = (self.workload, {"spec": self.autoscaler})
        return [fill(merge(base, over), values) for base, over in zip(usual, overrides)]


def read_cases():
    """Those that this cluster is for."""
    cases = (Case(path) for path in FOLDER.glob("*.yaml"))
    return sorted((case for case in cases if (case.chain == "direct") == DIRECT), key=lambda case: case.order)


def is_ready(conditions):
    return conditions.get("Ready", {}).get("status") == "True"


def kubectl(*words, stdin=None):
    """(exit code, output)."""
    done = subprocess.run(["kubectl", *words], input=stdin, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def on_node(layout, *command):
    """(exit code, output)."""
    done = subprocess.run(Namespace(layout).command(list(command)), text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def signal_node(program, name):
    """To a program of the node, which has process ids of its own; (exit code, output)."""
    layout = Layout(default_state(control_plane_only=False))
    pid = json.loads((layout.processes / f"{program}.json").read_text())["identity"]["pid"]
    return on_node(layout, "kill", f"-{name}", str(pid))


def pod_addresses(namespace):
    code, text = kubectl("-n", namespace, "get", "pods", "-o", "jsonpath={.items[*].status.podIP}")
    return text.split() if code == 0 else []


class Filter:
    """What the node drops, or leads elsewhere, between the pods of two namespaces."""

    def __init__(self):
        self.rules = {}  # (from, to): [(table and chain, rule)]

    @staticmethod
    def write(how, rules):
        layout = Layout(default_state(control_plane_only=False))
        for (table, chain), rule in rules:
            code, text = on_node(layout, "iptables", "--wait", "-t", table, how, chain, *rule)
            if code:
                return code, text
        return 0, ""

    def add(self, source, destination, place, action):
        """`action` makes the end of a rule from the address of a pod of `destination`."""
        rules = [(place, ("-s", a, "-d", b, *action(b)))
                 for a in pod_addresses(source) for b in pod_addresses(destination)]
        if not rules:
            return 1, f"no pods in '{source}' or '{destination}'"
        self.rules[source, destination] = rules
        return self.write("-I", rules)

    def deny(self, source, destination):
        return self.add(source, destination, ("filter", "FORWARD"), lambda _: ("-j", "DROP"))

    def bar(self, destination, port):
        rules = [(("filter", "OUTPUT"), ("-d", pod, "-p", "tcp", "--dport", str(port), "-j", "DROP"))
                 for pod in pod_addresses(destination)]
        self.rules[destination, destination] = rules
        return self.write("-I", rules) if rules else (1, f"no pods in '{destination}'")

    def divert(self, source, destination, port, other):
        return self.add(source, destination, ("nat", "PREROUTING"), lambda pod: (
            "-p", "tcp", "--dport", str(port), "-j", "DNAT", "--to-destination", f"{pod}:{other}"))

    def allow(self, source, destination):
        return self.write("-D", self.rules.pop((source, destination), []))

    def allow_all(self):
        for source, destination in list(self.rules):
            self.allow(source, destination)


class Repetition(threading.Thread):
    """Plays a step each second, whatever becomes of it."""

    def __init__(self, play):
        super().__init__(daemon=True)
        self.play, self.over = play, threading.Event()

    def run(self):
        while not self.over.wait(1):
            self.play()

    def cease(self):
        self.over.set()
        self.join()


def explain(key):
    """What the program says of an autoscaler, without its line breaks."""
    done = subprocess.run([PROGRAM, "explain", key[1], "-n", key[0]], text=True, capture_output=True)
    return " ".join((done.stdout + done.stderr).split())


class Steps:
    """Plays steps in a namespace, and remembers what it is told to keep."""

    def __init__(self, namespace, values):
        self.namespace, self.values = namespace, dict(values)
        self.kept = {}
        self.changed = {}  # as it was before the first patch
        self.repeated = []  # (step, Repetition)
        self.filter = Filter()

    def here(self, words):
        return words if "-n" in words else ["-n", self.namespace, *words]

    def play(self, step):
        """(exit code, output)."""
        step = fill(step, self.values)
        if isinstance(step, str):
            program, *words = shlex.split(step)
            assert program == "kubectl", f"no step: {step}"
            return kubectl(*self.here(words))
        (verb, told), *rest = step.items()
        if verb == "apply":
            objects = told if isinstance(told, list) else [told]
            return kubectl("-n", self.namespace, "apply", "--server-side", "--force-conflicts",
                           f"--field-manager={step.get('by', 'kubectl')}", "-f", "-", stdin=yaml.safe_dump_all(objects))
        if verb in ("repeat", "cease"):
            return self.repeat(told) if verb == "repeat" else self.cease(told)
        if verb in ("deny", "allow"):
            return getattr(self.filter, verb)(told, step.get("to", self.namespace))
        if verb == "bar":
            return self.filter.bar(told, step["port"])
        if verb == "divert":
            return self.filter.divert(told, self.namespace, step["port"], step["at"])
        words = self.here(shlex.split(told))
        if verb == "patch":
            if told not in self.changed:
                self.changed[told] = kubectl("get", *words, "-o", "json")[1]
            body = rest[0][1]
            return kubectl("patch", *words, "--type", "json" if isinstance(body, list) else "merge", "-p", json.dumps(body))
        if verb == "post":
            answer = Kube(os.environ["KUBECONFIG"]).ask(told, rest[0][1])
            return (1, "no answer") if answer is None else (0, answer)
        if verb in ("freeze", "thaw"):
            return signal_node(told, "STOP" if verb == "freeze" else "CONT")
        if verb in ("keep", "forbid"):
            code, text = kubectl("get", *words, "-o", "json")
            self.kept[told] = text
            if verb == "keep" and code == 0:
                self.values["uid"] = json.loads(text)["metadata"]["uid"]
            return (code, text) if verb == "keep" or code else self.forbid(words, json.loads(text), **step)
        assert verb == "restore", f"no step: {step}"
        return self.restore(words, json.loads(self.kept[told]))

    def repeat(self, step):
        done = self.play(step)
        repetition = Repetition(lambda: self.play(step))
        self.repeated.append((step, repetition))
        repetition.start()
        return done

    def cease(self, step=None):
        """This one, or all."""
        for known, repetition in self.repeated:
            if step in (None, known):
                repetition.cease()
        self.repeated = [pair for pair in self.repeated if not pair[1].over.is_set()]
        return 0, ""

    @staticmethod
    def forbid(words, role, resource, verbs, **_):
        rules = []
        for rule in role["rules"]:
            if resource not in rule["resources"]:
                rules.append(rule)
                continue
            rules.append(rule | {"resources": [name for name in rule["resources"] if name != resource]})
            rules.append(rule | {"resources": [resource], "verbs": [verb for verb in rule["verbs"] if verb not in verbs]})
        rules = [rule for rule in rules if rule["resources"] and rule["verbs"]]
        if rules == role["rules"]:
            return 1, f"no rule is about '{resource}'"
        return kubectl("patch", *words, "--type", "merge", "-p", json.dumps({"rules": rules}))

    def restore(self, words, kept):
        for member in ("resourceVersion", "uid", "creationTimestamp", "generation", "managedFields"):
            kept["metadata"].pop(member, None)
        kept.pop("status", None)
        absent = kubectl("get", *words)[0]
        return kubectl("create" if absent else "replace", "-f", "-", stdin=json.dumps(kept))

    def all(self, steps):
        for step in steps:
            code, text = self.play(step)
            assert code == 0, f"{step}: {text}"

    def undo(self):
        """Puts back what was patched, for a remedy that was not said: the next case wants a whole chain."""
        self.cease()
        self.filter.allow_all()
        for told, kept in self.changed.items():
            self.restore(self.here(shlex.split(told)), json.loads(kept))


class Outcome:
    """What was said of a breakage, and when."""

    def __init__(self, case):
        self.case = case
        self.said = "nothing"
        self.say_seconds = self.ready_seconds = None
        self.problems = []

    def fail(self, text):
        self.problems.append(text)


def broken_links(conditions):
    """(link, reason) of what is False, in the order of the chain; Ready alone when no link is to blame."""
    found = [(link, conditions[link]["reason"]) for link in LINKS if conditions.get(link, {}).get("status") == "False"]
    ready = conditions.get("Ready", {})
    if ready.get("status") == "False" and not [link for link, _ in found if link != "ScalingActive"]:
        found.append(("Ready", ready["reason"]))
    return found


def first_not_true(conditions):
    """(link, reason) of the first link that does not work, or is not known to; Ready's when all do."""
    found = [(link, conditions[link]["reason"]) for link in LINKS
             if link in conditions and conditions[link]["status"] != "True"]
    return (found or [("Ready", conditions.get("Ready", {}).get("reason"))])[0]


class Player:
    """Plays one case on a chain that is set up."""

    def __init__(self, case, statuses, values):
        self.case, self.statuses = case, statuses
        self.key = (case.namespace, "chat")
        self.steps = Steps(case.namespace, values | {"NAMESPACE": case.namespace})
        self.outcome = Outcome(case)

    def is_said(self, conditions):
        """Whether this status says what is expected."""
        case, found = self.case, conditions.get(self.case.link, {})
        ready = conditions.get("Ready", {}).get("status")
        if found.get("status") != case.status or (case.reason and found.get("reason") != case.reason):
            return False
        return case.link == "Ready" or ready == ("True" if case.link == "ScalingActive" else case.status)

    def is_mended(self, conditions):
        """Ready, and what is said of a Ready chain is said no more."""
        return is_ready(conditions) and (self.case.link in ("Ready", "ScalingActive") or not self.is_said(conditions))

    def judge_way(self, begun, until):
        """Nothing but the expected may be said to be broken, and what is true on the way there."""
        case = self.case
        for at, now in self.statuses.since(self.key, begun):
            wrong = [pair for pair in broken_links(now)
                     if pair != (case.link, case.reason) and pair not in case.meanwhile
                     and (pair[0] != "ScalingActive" or case.link == "ScalingActive")]
            if at <= until and wrong:
                self.outcome.fail(f"said '{wrong[0][0]}: {wrong[0][1]}' first: {now[wrong[0][0]]['message']}")
                return f"{wrong[0][0]}: {wrong[0][1]}"
        return None

    def judge_words(self, conditions):
        """The object, the field and the remedy, in the status and in what `explain` makes of it."""
        case = self.case
        message = conditions[case.link]["message"]
        shown = explain(self.key)
        for piece in fill(case.expect.get("says", []), self.steps.values):
            if piece not in message:
                self.outcome.fail(f"does not say '{piece}': {message}")
            elif piece not in shown:
                self.outcome.fail(f"explain does not say '{piece}': {shown}")
        for expression in case.expect.get("take", []):
            found = re.search(expression, message)
            if found:
                self.steps.values |= found.groupdict()
            else:
                self.outcome.fail(f"'{expression}' cannot be taken from: {message}")

    def break_it(self):
        """The moment before the last step that changes something: those that wait for its effect count as delay."""
        case = self.case
        steps = list(case.breaking)
        refused = case.expect.get("refused")
        if case.start == "Nothing":
            steps.append({"apply": case.objects(self.steps.values["IMAGE"])[1]})
        for step in steps:
            if not str(step).startswith(("kubectl wait", "kubectl -n monitoring wait", "kubectl rollout status")):
                broken = time.monotonic()
            if refused and step is steps[-1]:
                code, text = self.steps.play(step)
                if code == 0 or not all(piece in " ".join(text.split()) for piece in refused):
                    self.outcome.fail(f"is not refused with {refused}: {text}")
            else:
                self.steps.all([step])
        return broken

    def hold(self, broken, seconds):
        """What is expected is said already, and stays."""
        def moves(now):
            return not self.is_said(now) and first_not_true(now) not in self.case.meanwhile

        change = self.statuses.wait(self.key, broken, moves, seconds)
        if change:
            at, now = change
            link, reason = first_not_true(now)
            self.outcome.fail(f"did not stay so: after {at - broken:.1f} s '{link}: {reason}': {now[link]['message']}")
        elif not self.statuses.wait_now(self.key, self.is_said, self.case.ready):
            self.outcome.fail(f"is not so: {self.statuses.last(self.key)}")

    def play(self):
        case, outcome = self.case, self.outcome
        mended = False
        try:
            if case.start == "Ready":
                assert self.statuses.wait_now(self.key, is_ready, 150), f"not Ready: {self.statuses.last(self.key)}"
            begun = time.monotonic()
            broken = self.break_it()
            if case.expect.get("holds") and case.start == "Ready":
                self.hold(broken, case.expect["holds"])
                outcome.said = f"{case.link}: {self.statuses.last(self.key)[case.link]['reason']}"
            else:
                self.wait_said(begun, broken)
            self.steps.all(case.mend)
            mended = True
            self.wait_ready(begun)
        except Exception as failure:
            outcome.fail(str(failure))
        finally:
            if not mended:
                for step in case.mend:
                    self.steps.play(step)
                self.steps.undo()
        return outcome

    def wait_said(self, begun, broken):
        case, outcome = self.case, self.outcome
        said = self.statuses.wait(self.key, begun, self.is_said, broken + case.within - time.monotonic())
        if said:
            outcome.say_seconds = max(0.0, said[0] - broken)
            outcome.said = f"{case.link}: {said[1][case.link]['reason']}"
            self.judge_words(said[1])
        else:
            last = self.statuses.last(self.key)
            outcome.fail(f"not said within {case.within} s: {last.get('Ready', last)}")
        outcome.said = self.judge_way(begun, said[0] if said else time.monotonic()) or outcome.said

    def wait_ready(self, begun):
        """Until then no healthy link is called broken: none that comes before the broken one."""
        case, outcome = self.case, self.outcome
        mended = time.monotonic()
        if not self.statuses.wait_now(self.key, self.is_mended, case.ready):
            last = self.statuses.last(self.key)
            outcome.fail(f"not mended after {case.ready} s: {last.get('Ready')}, {last.get(case.link)}")
            return
        if case.link != "Ready" or case.status != "True":
            again = self.statuses.wait(self.key, mended, self.is_mended, 0)
            outcome.ready_seconds = again[0] - mended if again else 0.0
        before = LINKS[:LINKS.index(case.link)] if case.link in LINKS else ()
        for _, now in self.statuses.since(self.key, begun):
            for pair in broken_links(now):
                if pair[0] in before and pair not in case.meanwhile:
                    outcome.fail(f"called the healthy link '{pair[0]}' broken: {now[pair[0]]['message']}")
