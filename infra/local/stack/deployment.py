"""The template on the stack: sam build and sam deploy, each only when something changed.

Owns what counts as a change, and the parameters that the local stack gives the template.
"""

import contextlib
import json
import os
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from . import stamps, toolchain
from .folder import PROJECT, SOURCES, Folder
from .problems import Failed
from .progress import step
from .state import State

KEY = "deployment"
STACK = "backfill"
REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}
ARCHITECTURE = {"amd64": "x86_64"}.get(toolchain.machine(), "arm64")  # functions run on this machine's processor
SAM_SETTINGS = {"SAM_CLI_TELEMETRY": "0", "SAM_CLI_POLL_DELAY": "0.2"}  # seconds between two looks at a deployment; 5 as it comes
BUCKET = "backfill-artifacts"
# With --resolve-s3, SAM would deploy a stack of its own for a bucket, and looks at that only every 15 s.
DEPLOY_OPTIONS = ("--no-resolve-s3", "--s3-bucket", BUCKET, "--no-confirm-changeset", "--no-fail-on-empty-changeset")
# No function has these in it.
ASIDE = ("internal/operator", "internal/e2e", "infra/demo", "infra/bench", "infra/smoke")
INPUTS = ("template.yaml", "samconfig.toml", "Makefile", "go.mod", "go.sum", "functions", "internal", "infra")


def parameters(database_url: str) -> dict[str, str]:
    """What the template is told here. All of it: SAM does not add to them what samconfig.toml says, but replaces that."""
    return {
        "DatabaseUrl": database_url,
        "Architecture": ARCHITECTURE,
        "AllowInlineDefinitions": "true",
        # Short, so that every run here goes on in a second child execution, and a dead worker is noticed while people watch.
        "LeaseSeconds": "10",
        "BeatSeconds": "10",
        "SegmentBeats": "5",
        # Of four on two processors, each keeps dead rows that another has left: a benchmark takes as many as there are processors.
        "WorkerConcurrency": os.environ.get("BACKFILL_WORKERS", "4"),
    }


def environment(endpoint: str) -> dict[str, str]:
    """What a command needs in order to talk to the stack and to nothing else."""
    foreign = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_CONFIG_FILE")
    kept = {name: value for name, value in os.environ.items() if name not in foreign}
    return {**kept, **CREDENTIALS, "AWS_ENDPOINT_URL": endpoint, "AWS_EC2_METADATA_DISABLED": "true", **SAM_SETTINGS, "ARCHITECTURE": ARCHITECTURE}


class Deployment:
    """The project's template on one LocalStack."""

    def __init__(self, folder: Folder, state: State, sam: Path, project: Path = PROJECT):
        self._state = state
        self._sam = sam
        self._project = project
        self._log = folder.log / "deploy.log"
        self._temporary = folder.temporary
        self._sources = _digest(project)
        self._build: subprocess.Popen | None = None

    @contextlib.contextmanager
    def building(self) -> Iterator[None]:
        """Lets `sam build` go on beside other steps; `finish` waits for it, and it ends when they fail."""
        if self._state.get("build").get("sources") != self._sources or not (self._project / ".aws-sam/build").exists():
            self._state.drop("build")
            self._build = self._start(["build"], "http://127.0.0.1:9")  # a build has nothing to ask of AWS
        try:
            yield
        finally:
            if self._build:
                _end(self._build)

    def finish(self, endpoint: str, instance: str, database_url: str) -> None:
        """Deploys what was built, unless this LocalStack has it."""
        self._await_build()
        wanted = {"sources": self._sources, "instance": instance, "shape": self._shape(database_url)}
        if self._state.get(KEY) == wanted:
            return
        self._state.put(KEY, {"instance": instance})  # that a deployment began: it has no shape until it ended well
        with step("sam deploy"):
            _make_bucket(endpoint)
            self._wait(self._start(["deploy", *DEPLOY_OPTIONS, *_overrides(database_url)], endpoint), "sam deploy")
        self._state.put(KEY, wanted)

    def needs_new_localstack(self, instance: str, database_url: str) -> bool:
        """Whether only another LocalStack can be deployed to. This one cannot roll back a deployment that failed, and when a template
        changes it leaves some resources as they are without a word (the attributes of a queue, for one)."""
        entry = self._state.get(KEY)
        return entry.get("instance") == instance and entry.get("shape") != self._shape(database_url)

    def _shape(self, database_url: str) -> str:
        return stamps.digest(self._project / "template.yaml", json.dumps(parameters(database_url)))

    def _await_build(self) -> None:
        if self._build:
            with step("sam build (the rest of it)"):
                self._wait(self._build, "sam build")
            self._state.put("build", {"sources": self._sources})

    def _start(self, command: list[str], endpoint: str) -> subprocess.Popen:
        argv = [str(self._sam), *command, "--config-env", "local"]
        env = {**environment(endpoint), "TMPDIR": str(self._temporary)}
        with self._log.open("ab") as output:
            return subprocess.Popen(
                argv, cwd=self._project, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )

    def _wait(self, command: subprocess.Popen, what: str) -> None:
        try:
            status = command.wait()
        finally:
            _end(command)
        if status != 0:
            raise Failed(f"{what} failed", self._log)


def _end(command: subprocess.Popen) -> None:
    """Ends what a failure elsewhere, or Ctrl-C, has made pointless."""
    if command.poll() is None:
        os.killpg(command.pid, signal.SIGTERM)
        command.wait()


def _make_bucket(endpoint: str) -> None:
    """Answers 200 when it is there already, too. LocalStack reads the region and the service from the header, and checks no signature."""
    signature = f"AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/s3/aws4_request, SignedHeaders=host, Signature=0"
    request = urllib.request.Request(f"{endpoint}/{BUCKET}", method="PUT", headers={"Authorization": signature})
    with urllib.request.urlopen(request, timeout=60):
        pass


def _overrides(database_url: str) -> list[str]:
    return ["--parameter-overrides", *(f"{name}={value}" for name, value in parameters(database_url).items())]


def _digest(project: Path) -> str:
    """Of all that the build reads. Tests and the stack's own files are none of it."""
    roots = [project / name for name in INPUTS]
    found = [file for root in roots for file in ([root] if root.is_file() else stamps.files_under(root, _is_source))]
    files = [file for file in found if not _aside(file.relative_to(project))]
    return stamps.digest(*(part for file in files for part in (str(file.relative_to(project)), file)))


def _aside(path: Path) -> bool:
    return any(path.is_relative_to(folder) for folder in ASIDE)


def _is_source(path: Path) -> bool:
    return not path.name.endswith("_test.go") and "testdata" not in path.parts and SOURCES not in path.parents
