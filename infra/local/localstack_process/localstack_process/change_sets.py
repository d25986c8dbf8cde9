"""What LocalStack's CloudFormation cannot compare between two versions of a template.

Owns Fn::FindInMap with keys that are computed, such as !Ref of a parameter: LocalStack takes it when a stack is made, and answers an
update with "not yet emulated".
"""

import functools

from localstack.services.cloudformation.engine.v2.change_set_model import ChangeType, TerminalValue


def with_computed_keys(resolve):
    """Replaces the comparison where a key is computed: the value changed when a key did, or anything in the mapping."""

    @functools.wraps(resolve)
    def compare(model, arguments):
        name, *keys = arguments.array
        if arguments.change_type != ChangeType.UNCHANGED or all(isinstance(key, TerminalValue) for key in keys):
            return resolve(model, arguments)
        return model._retrieve_mapping(mapping_name=name.value).change_type

    return compare
