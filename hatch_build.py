"""Build hook: the service is installed editable, from a clone or in an image, and never as a wheel."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class OnlyEditable(BuildHookInterface[Any]):
    """Refuses to put modules named `domain` or `runtime` beside those of another program."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name == "wheel" and version != "editable":
            raise RuntimeError(
                "the service runs from a clone or an image (pip install -e ., or docker compose); what other programs "
                "install is the package redress-complaints in the folder client (pip install ./client)"
            )
