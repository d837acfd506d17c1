"""The command line itself: help, the manual, what shells complete, how a typing error is met."""

import json
import os
import re
import resource
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import tool
from operator_fixtures import OPERATOR

VERBS = ["cleanup", "completion", "explain", "man", "render", "rules", "run", "version"]


def call(*args, program=OPERATOR, **more):
    return subprocess.run([program, *args], capture_output=True, text=True, timeout=30, **more)


def help_options(verb):
    """The long options that the help names."""
    return re.findall(r"--[a-z-]+", call(verb, "--help").stdout.split("Options:")[1].split("Examples:")[0])


def test_help_lists_every_verb():
    done = call("--help")
    assert done.returncode == 0
    assert re.findall(r"^  ([a-z]+) +\S", done.stdout.split("Verbs:")[1].split("Examples:")[0], re.M) == VERBS


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb_has_examples(verb):
    for args in ((verb, "--help"), (verb, "-h"), ("help", verb)):
        done = call(*args)
        assert done.returncode == 0 and done.stderr == ""
        assert done.stdout.startswith(f"Usage: inference-autoscaler {verb}")
        assert f"  inference-autoscaler {verb}" in done.stdout.split("Examples:")[1]


@pytest.mark.parametrize(("args", "says"), [
    ([], "Verbs:"),
    (["explian"], "unknown verb 'explian': did you mean 'explain'?"),
    (["frobnicate"], "unknown verb 'frobnicate': see --help"),
    (["help", "rnu"], "did you mean 'run'?"),
    (["run", "--kubeconfg", "x"], "unknown option '--kubeconfg': did you mean '--kubeconfig'?"),
    (["run", "--nothing-like-it"], "unknown option '--nothing-like-it': see --help"),
    (["run", "--log-level", "loud"], "--log-level must be one of debug|info|warn|error, not 'loud'"),
    (["run", "--leader-elect=maybe"], "--leader-elect must be true or false, not 'maybe'"),
    (["run", "--listen"], "--listen needs a value: --listen HOST:PORT"),
    (["run", "--prometheus-token-file", "/nowhere"], "--prometheus-token-file needs --prometheus-url"),
    (["run", "--prometheus-ca-file", "/nowhere"], "--prometheus-ca-file '/nowhere' cannot be used: No such file"),
    (["run", "--prometheus-header", "X"], "--prometheus-header must be like 'Name: value', not 'X'"),
    (["run", "stray"], "unexpected argument 'stray'"),
    (["explain", "a", "b"], "unexpected argument 'b'"),
    (["explain", "a", "-A"], "--all-namespaces takes no name"),
    (["explain", "a/b", "-n", "c"], "write NAMESPACE/NAME"),
    (["explain", "a", "--timeout", "soon"], "--timeout must be a duration such as 60s, not 'soon'"),
    (["cleanup"], "--dry-run"),
    (["cleanup", "--yes", "--dry-run"], "--dry-run"),
    (["completion"], "for which shell?"),
    (["completion", "tcsh"], "bash, zsh, fish"),
    (["render"], "name a file with -f"),
])
def test_wrong_usage_ends_2_and_says_what_to_write(args, says):
    done = call(*args)
    assert done.returncode == 2
    assert says in done.stderr and done.stdout == ""


@pytest.mark.parametrize("args", [["-o", "json"], ["-ojson"], ["-o=json"], ["--output=json"], ["--output", "json"]])
def test_version_for_machines(args):
    version = json.loads(call("version", *args).stdout)
    assert re.fullmatch(r"\d+\.\d+\.\d+", version["version"]) and version["libcurl"]
    assert version["version"] in call("--version").stdout


def test_the_manual_is_well_formed_and_complete(tmp_path):
    page = tmp_path / "inference-autoscaler.1"
    page.write_text(call("man").stdout)
    lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True, timeout=30)
    # A date would differ from build to build.
    assert [line for line in lint.stdout.splitlines() if "missing date" not in line] == []
    text = subprocess.run(["mandoc", "-T", "ascii", page], capture_output=True, text=True, check=True).stdout
    text = re.sub(r".\x08", "", text)
    for verb in VERBS:
        assert f"inference-autoscaler {verb}" in text
        for option in help_options(verb):
            assert option == "--help" or option in text, option


def bash_completes(tmp_path, *words):
    """What bash offers for the last word."""
    script = tmp_path / "completion.bash"
    script.write_text(call("completion", "bash").stdout)
    run = (
        f"source {script}; COMP_WORDS=({shlex.join(words)}); COMP_CWORD={len(words) - 1};"
        " _inference_autoscaler; printf '%s\\n' \"${COMPREPLY[@]}\"; complete -p inference-autoscaler >/dev/null"
    )
    done = subprocess.run(["bash", "-uc", run], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return done.stdout.split()


PROGRAM = "inference-autoscaler"


def test_bash_completes_verbs(tmp_path):
    assert set(bash_completes(tmp_path, PROGRAM, "")) == {*VERBS, "help", "--help"}
    assert bash_completes(tmp_path, PROGRAM, "ex") == ["explain"]


@pytest.mark.parametrize("verb", VERBS)
def test_bash_completes_every_option_of_a_verb(tmp_path, verb):
    assert sorted(bash_completes(tmp_path, PROGRAM, verb, "--")) == sorted(help_options(verb))


def test_bash_completes_values(tmp_path):
    assert bash_completes(tmp_path, PROGRAM, "explain", "-o", "") == ["tree", "json"]
    assert bash_completes(tmp_path, PROGRAM, "explain", "--output", "j") == ["json"]
    assert bash_completes(tmp_path, PROGRAM, "run", "--log-level", "=", "w") == ["warn"]
    assert bash_completes(tmp_path, PROGRAM, "run", "--log-level", "=") == ["debug", "info", "warn", "error"]
    assert bash_completes(tmp_path, PROGRAM, "explain", "--namespace", "") == []
    assert set(bash_completes(tmp_path, PROGRAM, "completion", "")) == {"bash", "zsh", "fish", "--help"}
    (tmp_path / "a-kubeconfig").touch()
    assert bash_completes(tmp_path, PROGRAM, "explain", "--kubeconfig", "a-k") == ["a-kubeconfig"]


def test_fish_completes(tmp_path):
    script = tmp_path / "completion.fish"
    script.write_text(call("completion", "fish").stdout)

    def completes(line):
        done = subprocess.run(
            ["fish", "--no-config", "-c", f"source {script}; complete -C '{line}'"],
            capture_output=True, text=True, timeout=30, env=os.environ | {"HOME": str(tmp_path)},
        )
        assert done.stderr == ""
        return {offer.split("\t")[0] for offer in done.stdout.splitlines()}

    assert completes("inference-autoscaler ") == set(VERBS)
    assert completes("inference-autoscaler explain -o ") == {"tree", "json"}
    assert completes("inference-autoscaler completion ") == {"bash", "zsh", "fish"}
    for verb in VERBS:
        assert completes(f"inference-autoscaler {verb} --") >= set(help_options(verb)) - {"--help"}


def test_zsh_reads_its_completion(tmp_path):
    script = tmp_path / "_inference-autoscaler"
    script.write_text(call("completion", "zsh").stdout)
    assert script.read_text().startswith("#compdef inference-autoscaler")
    # Loaded as compinit does, _arguments replaced by what it is told.
    run = (
        "_arguments() { print -rl -- \"$@\" }; _describe() { print -rl -- $verbs }; words=(inference-autoscaler %s '');"
        f" CURRENT=%d; source {script}"
    )

    def told(verb, current):
        done = subprocess.run(["zsh", "-fc", run % (verb, current)], capture_output=True, text=True, timeout=30)
        assert done.returncode == 0 and done.stderr == "", done.stderr
        return done.stdout

    assert [line.split(":")[0] for line in told("", 2).splitlines()] == VERBS
    for verb in VERBS:
        for option in help_options(verb):
            assert option in told(verb, 3), (verb, option)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """What 'cmake --install' puts where."""
    prefix = tmp_path_factory.mktemp("prefix")
    build = Path(OPERATOR).parent
    done = subprocess.run(["cmake", "--install", build, "--prefix", prefix], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return prefix


def test_installed_are_the_plugin_the_manual_and_the_completions(installed):
    plugin = installed / "bin" / "kubectl-inference_autoscaler"
    assert plugin.is_symlink() and os.readlink(plugin) == "inference-autoscaler"
    share = installed / "share"
    assert (share / "man" / "man1" / "inference-autoscaler.1").read_text() == call("man").stdout
    for shell, place in (
        ("bash", "bash-completion/completions/inference-autoscaler"),
        ("zsh", "zsh/site-functions/_inference-autoscaler"),
        ("fish", "fish/vendor_completions.d/inference-autoscaler.fish"),
    ):
        assert (share / place).read_text() == call("completion", shell).stdout


def test_kubectl_runs_the_plugin(installed):
    env = os.environ | {"PATH": f"{installed / 'bin'}:{os.environ['PATH']}"}
    assert shutil.which("kubectl-inference_autoscaler", path=env["PATH"])
    done = call("inference-autoscaler", "explain", "--help", program=tool("kubectl"), env=env)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Usage: kubectl inference-autoscaler explain")
    assert "  kubectl inference-autoscaler explain gemma -n vllm-example" in done.stdout
    done = call("inference-autoscaler", "explian", program=tool("kubectl"), env=env)
    assert done.returncode == 2
    assert done.stderr.startswith("kubectl inference-autoscaler: unknown verb 'explian'")


def many_documents(count):
    """So many autoscalers, each with a target and a Service, that use GPUs too."""
    def documents(i):
        meta = {"name": f"gemma-{i}", "namespace": f"team-{i % 100}"}
        pod = {"containers": [{"name": "engine", "ports": [{"containerPort": 8000}]}]}
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": meta["name"]}
        return (
            {"apiVersion": "inference-autoscaler.io/v1alpha1", "kind": "InferenceAutoscaler", "metadata": meta,
             "spec": {"scaleTargetRef": target, "maxReplicas": 5, "mode": "Combined", "engine": {"type": "VLLM"}}},
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta,
             "spec": {"selector": {"matchLabels": {"app": meta["name"]}}, "template": {"spec": pod}}},
            {"apiVersion": "v1", "kind": "Service", "metadata": {**meta, "labels": {"app": meta["name"]}},
             "spec": {"ports": [{"name": "http", "port": 8000}], "selector": {"app": meta["name"]}}},
        )

    return "".join(f"---\n{json.dumps(o)}\n" for i in range(count) for o in documents(i))


def render_seconds(count):
    """Of the processor, for so many autoscalers."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run([OPERATOR, "render", "-f", "-"], input=many_documents(count), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\nkind: HorizontalPodAutoscaler\n") == count
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def test_render_of_many_costs_each_what_it_costs_of_few():
    few, many = render_seconds(500), render_seconds(4000)
    print(f"\n500 autoscalers: {few:.2f} s, 4,000: {many:.2f} s")
    assert many < 3 * 8 * few
