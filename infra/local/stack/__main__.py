"""python3 -m infra.local.stack COMMAND, from the project's root. The Makefile calls it."""

import argparse
import sys

from . import report
from .down import down
from .folder import Folder
from .problems import Problem
from .state import State
from .up import test_database, test_dynamodb, tool, up

CHANGING = {
    "up": lambda folder, state, _: up(folder, state),
    "down": lambda folder, state, asked: down(folder, state, asked.purge),
    "postgres": lambda folder, state, asked: test_database(folder, state, asked.major, asked.durable),
    "dynamodb": lambda folder, state, _: test_dynamodb(folder, state),
    "tool": lambda folder, _, asked: tool(folder, asked.name),
}
READING = {"env": report.exports, "status": report.status}


def main() -> int:
    asked = _parser().parse_args()
    folder = Folder.of_environment()
    state = State(folder.state)
    try:
        answer = _carry_out(asked, folder, state)
    except Problem as problem:
        print(problem, file=sys.stderr)
        return problem.exit_code
    except KeyboardInterrupt:
        return 130
    if answer:
        print(answer)
    return 0


def _carry_out(asked: argparse.Namespace, folder: Folder, state: State) -> str | None:
    if asked.command in READING:
        return READING[asked.command](state)
    with folder.lock():
        folder.make()
        return CHANGING[asked.command](folder, state, asked)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="infra.local.stack", description="The local stack of backfill.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start everything and deploy the template")
    down_ = commands.add_parser("down", help="end everything that was started")
    down_.add_argument("--purge", action="store_true", help="remove the data and all that was installed, too")
    commands.add_parser("env", help="print the exports for a shell")
    commands.add_parser("status", help="show what runs")
    postgres = commands.add_parser("postgres", help="print the URL of a server of a major version, for tests")
    postgres.add_argument("major", type=int)
    postgres.add_argument("--durable", action="store_true", help="another server, for benchmarks: it syncs to the disk and has room")
    tool_ = commands.add_parser("tool", help="print the path of an installed program")
    tool_.add_argument("name", choices=["sam", "cfn-lint", "checkov", "python", "pgbouncer", "postgres"])
    commands.add_parser("dynamodb", help="print the endpoint of a test server")
    return parser


if __name__ == "__main__":
    sys.exit(main())
