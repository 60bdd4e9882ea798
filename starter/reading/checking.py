"""What is wrong with the policy packs that can be used."""

from datetime import datetime

from domain.rules.policy_check import check_pack
from domain.rules.problem import PolicyProblem
from runtime.policies import ReadPack, load_table, survey
from runtime.shelf import PolicyError


def read_all() -> tuple[list[ReadPack], dict[str, PolicyError]]:
    """The packs that can be read, and what is wrong with the files of others and with the table of rules."""
    known, wrong = survey()
    try:
        load_table()
    except PolicyError as error:
        wrong["tables/which-rules.toml"] = error
    return known, wrong


def broken(name: str, error: Exception) -> PolicyProblem:
    """A file that cannot be read."""
    return PolicyProblem(severity="error", about="file", pack=name, field="file", message=str(error))


def check_in_use(now: datetime) -> tuple[list[ReadPack], list[PolicyProblem]]:
    """The packs that hold *now* or later, and all that is wrong with them and with files that cannot be read."""
    known, wrong = read_all()
    current = [one for one in known if one.pack.effective_until is None or one.pack.effective_until >= now.date()]
    found = [broken(name, error) for name, error in wrong.items()]
    for pack, extends in current:
        problems = check_pack(pack, now, extends)
        if pack.demands:
            # No case can be opened with it: that is told, and is no fault of the packs that are in use.
            problems = [problem.model_copy(update={"severity": "warning"}) for problem in problems]
        found += problems
    return current, found
