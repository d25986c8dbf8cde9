"""The guarded tables of execution environments, under many threads at once."""

import sys
import threading
from types import SimpleNamespace

import pytest
from localstack.services.lambda_.invocation import assignment as localstack_assignment
from localstack_process import assignment


class Environment:
    """What AssignmentService needs of an execution environment."""

    def __init__(self, **_):
        self.id = str(id(self))
        self.initialization_type = "on-demand"
        self.version_manager_id = "version"
        self._lock = threading.Lock()

    def start(self):
        pass

    def stop(self):
        pass

    def reserve(self):
        if not self._lock.acquire(blocking=False):
            raise localstack_assignment.InvalidStatusException("taken")

    def release(self):
        self._lock.release()


@pytest.fixture
def eager_threads():
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(usual)


def test_search_goes_on_while_environments_come_and_go(monkeypatch, eager_threads):
    """Without the guard a few in a hundred of these fail: "dictionary changed size during iteration"."""
    monkeypatch.setattr(localstack_assignment, "ExecutionEnvironment", Environment)
    service = localstack_assignment.AssignmentService()
    service.environments = assignment.environment_tables()
    failures = []
    threads = [threading.Thread(target=_invoke_often, args=(service, failures)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def _invoke_often(service, failures: list) -> None:
    for number in range(100):
        try:
            with service.get_environment("version", SimpleNamespace(), "on-demand"):
                if number % 5 == 0:
                    raise KeyError  # an environment that failed is taken out of the table
        except KeyError:
            pass
        except RuntimeError as error:
            failures.append(error)
