"""The tables in which LocalStack looks for a free execution environment.

Owns one guarantee: a search goes over a copy. LocalStack iterates the live table while other invocations add to it and remove from it,
and fails such an invocation with "dictionary changed size during iteration".
"""

from collections import defaultdict


class EnvironmentTable(dict):
    def values(self):
        return list(super().values())


def environment_tables() -> defaultdict:
    return defaultdict(EnvironmentTable)
