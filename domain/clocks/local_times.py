"""Which instants a clock on the wall means: once a year it skips an hour, and once it shows one twice."""

from datetime import UTC, datetime, tzinfo


def readings(shown: datetime, zone: tzinfo) -> tuple[datetime, ...]:
    """The instants, in UTC, at which a clock in *zone* shows *shown* (without zone), the earlier one first.

    One, but none in the hour that the clock skips in spring, and two in the hour that it repeats in autumn.
    """
    found: list[datetime] = []
    for fold in (0, 1):
        try:
            at = shown.replace(tzinfo=zone, fold=fold).astimezone(UTC)
            if at not in found and at.astimezone(zone).replace(tzinfo=None) == shown:
                found.append(at)
        except (OverflowError, ValueError):
            continue
    return tuple(sorted(found))
