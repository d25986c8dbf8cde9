"""What LocalStack's Step Functions does anew with each task, and is done once here.

Owns two savings, and no behaviour: a JSON path is parsed once (LocalStack makes the parser's tables anew for each "$.run", 14 ms of a
processor), and a role is assumed once for each service (it makes a client anew for each task, with the rules of its endpoints).
"""

import functools

MANY = 10_000  # definitions have some dozens of paths; tests may make many


def remembered(parse):
    """A parsed path holds no data and does not change, so that executions may share it."""
    return functools.lru_cache(MANY)(parse)


def kept(client_for):
    """Clients may be shared by threads. LocalStack does not let the credentials of a role end."""
    clients = {}

    def kept_client_for(service, region, state_credentials):
        key = (service, region, state_credentials.role_arn)
        if key not in clients:  # two threads may make one each: either is good
            clients[key] = client_for(service=service, region=region, state_credentials=state_credentials)
        return clients[key]

    return kept_client_for
