"""When the template is built and deployed, with a program in SAM's place that notes its calls."""

import pytest

from infra.local.stack import deployment
from infra.local.stack.deployment import Deployment
from infra.local.stack.folder import Folder
from infra.local.stack.problems import Failed
from infra.local.stack.state import State

SAM = """#!/bin/sh
echo "$1" >> calls
mkdir -p .aws-sam/build
test ! -e fail-"$1"
"""


class Project:
    def __init__(self, root):
        self.root = root
        self.folder = Folder(root / ".local")
        self.folder.make()
        self.state = State(self.folder.state)
        (root / "template.yaml").write_text("Resources: {}")
        (root / "functions").mkdir()
        (root / "functions/main.go").write_text("package main")
        self.sam = root / "sam"
        self.sam.write_text(SAM)
        self.sam.chmod(0o755)

    def up(self, instance: str = "one", url: str = "postgres://") -> list[str]:
        """What SAM was asked for."""
        (self.root / "calls").write_text("")
        project = self.deployment()
        with project.building():
            project.finish("http://127.0.0.1:1", instance, url)
        return self.calls()

    def needs_new(self, instance: str = "one", url: str = "postgres://") -> bool:
        return self.deployment().needs_new_localstack(instance, url)

    def deployment(self) -> Deployment:
        return Deployment(self.folder, self.state, self.sam, self.root)

    def calls(self) -> list[str]:
        return (self.root / "calls").read_text().split()


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setattr(deployment, "_make_bucket", lambda endpoint: None)
    return Project(tmp_path)


def test_nothing_is_done_twice(project):
    assert project.up() == ["build", "deploy"]
    assert project.up() == []


def test_new_localstack_is_deployed_to_without_a_build(project):
    project.up()
    assert project.up(instance="two") == ["deploy"]


def test_changed_parameter_or_template_needs_a_new_localstack(project):
    project.up()
    assert not project.needs_new()
    assert project.needs_new(url="postgres://elsewhere")
    (project.root / "template.yaml").write_text("Resources: {Queue: {}}")
    assert project.needs_new() and not project.needs_new(instance="two")


def test_changed_source_is_built_and_deployed(project):
    project.up()
    (project.root / "functions/main.go").write_text("package main // changed")
    assert project.up() == ["build", "deploy"]


def test_test_is_no_source(project):
    project.up()
    (project.root / "functions/main_test.go").write_text("package main")
    assert project.up() == []


@pytest.mark.parametrize("folder", deployment.ASIDE)
def test_what_no_function_has_in_it_is_no_source(project, folder):
    project.up()
    (project.root / folder).mkdir(parents=True)
    (project.root / folder / "start.go").write_text("package command")
    assert project.up() == []


def test_failed_deployment_needs_a_new_localstack(project):
    (project.root / "fail-deploy").touch()
    with pytest.raises(Failed):
        project.up()
    assert project.needs_new() and not project.needs_new(instance="two")
    (project.root / "fail-deploy").unlink()
    assert project.up(instance="two") == ["deploy"]
    assert not project.needs_new(instance="two")


def test_failed_build_is_done_again(project):
    (project.root / "fail-build").touch()
    with pytest.raises(Failed, match="sam build failed"):
        project.up()
    (project.root / "fail-build").unlink()
    assert project.up() == ["build", "deploy"]
