"""Lambda functions as processes of the host, for a LocalStack that has no container engine.

Owns: the Lambda Runtime API, the processes behind it, DynamoDB Local's process, and the concurrency of SQS event source mappings.
Does not own: functions, versions, leases, queues and everything else that AWS' APIs show; those stay LocalStack's.
Invariants: a process group is ended as a whole or not at all; nothing outlives the LocalStack that stops in good order; whatever
a killed LocalStack leaves behind stands in the register (see register.py), so that the stack can end it.
"""
