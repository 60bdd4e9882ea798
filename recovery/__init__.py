"""After a restore: case file and workflows are compared, and what one has lost is written again from the other.

It knows activities and workflows, like the worker: a workflow's history is replayed here, and what its effects had
written is written again by their own code. ``redress reconcile`` runs it as a program of its own.
"""
