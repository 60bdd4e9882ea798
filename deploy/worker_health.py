"""Is the worker on this machine at work? Exit code 0 if its endpoint says it is ready, else 1 and the reason.

For the health check of a container: `python deploy/worker_health.py`. It needs REDRESS_METRICS_ADDRESS, as the worker
does.
"""

import sys

import httpx

from runtime.settings import ConfigurationError, load_settings


def problem() -> str | None:
    """What is wrong, or None while the worker can reach PostgreSQL and Temporal and asks for work."""
    try:
        address = load_settings().metrics_address
    except ConfigurationError as error:
        return str(error)
    if address is None:
        return "REDRESS_METRICS_ADDRESS is not set: the worker has no endpoint to ask"
    host, _, port = address.rpartition(":")
    here = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)  # noqa: S104 (what a server may be bound to)
    try:
        answer = httpx.get(f"http://{here}:{port}/readyz", timeout=10, trust_env=False)
    except httpx.HTTPError as error:
        return f"no answer from http://{here}:{port}/readyz ({error})"
    return None if answer.is_success else answer.text.strip()


if __name__ == "__main__":
    sys.exit(problem())
