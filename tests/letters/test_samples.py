"""Every letter of every pack is seen before a customer sees it, and one that cannot be written is told at the start."""

import pytest
from structlog.testing import capture_logs

import worker
from domain.ground.words import Element, LetterKind
from runtime.letters.samples import missing_letters, sample_letters
from runtime.letters.stationery import LANGUAGES
from runtime.policies import load_packs
from runtime.settings import load_settings
from tests.letters.support import FIRM, FULL_PACK, NOW, rule, with_rules


def test_every_letter_of_every_pack_can_be_written_in_both_languages() -> None:
    packs = [pack for versions in load_packs().values() for pack in versions]
    for pack in packs:
        lacking = missing_letters(pack, firm=FIRM, at=NOW)
        assert pack.demands or not lacking, pack.id
        assert all(pack.id in lacks for lacks in lacking)
    assert any(pack.demands and missing_letters(pack, firm=FIRM, at=NOW) for pack in packs)


def test_each_kind_and_each_occasion_has_a_letter_of_its_own_and_what_is_missing_is_told_once() -> None:
    found = list(sample_letters(FULL_PACK, firm=FIRM, at=NOW))
    assert {one.kind for one in found} == set(LetterKind)
    assert len({one.letter.body for one in found}) == len(found)
    assert {(one.kind, one.rule) for one in found if one.rule} == {
        (LetterKind.HOLDING, "four-weeks"),
        (LetterKind.EXTENSION, "response/complex"),
        (LetterKind.OUTSIDE_DECISION, "review"),
    }
    assert {one.language for one in found} == set(LANGUAGES)

    demanding = with_rules(FULL_PACK, letters=(rule(LetterKind.REMINDER, Element.OMBUDSMAN),))
    [lacks] = missing_letters(demanding, firm=FIRM, at=NOW)
    assert lacks.startswith("reminder cannot be written without ombudsman, which letters[reminder]")


def test_a_worker_says_at_its_start_which_letters_of_any_pack_lack_something(monkeypatch: pytest.MonkeyPatch) -> None:
    demanding = with_rules(FULL_PACK, letters=(rule(LetterKind.REMINDER, Element.OMBUDSMAN),))
    monkeypatch.setattr(worker, "packs_in_force", lambda _: [FULL_PACK, demanding])
    with capture_logs() as said:
        worker.tell_missing_letters(load_settings(default_policy="uk-fca"))
    assert [(one["event"], one["pack"]) for one in said] == [("a letter cannot be written", demanding.id)]
    assert "ombudsman" in said[0]["lacks"]
