"""The local stack: Postgres, LocalStack with DynamoDB Local, and the deployed template, started, held together and ended as one.

Owns everything in the folder .local at the project's root and the processes recorded there. Touches nothing else: what it did not
start it does not end, and what it finds running it leaves alone.
Invariants: every process is known by more than its number; a step that was cut short is done anew; twice up is once up.
"""
