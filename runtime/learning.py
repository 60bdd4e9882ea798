"""Learning the model of the first assessment from labelled sentences; needs the extra ``learn`` (scikit-learn)."""

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from domain.case.assessment_rules import REMAINS
from domain.ground.phrases import Pieces
from domain.ground.words import Category
from domain.speech.proposing import THOUSANDTHS, Model, Weights, features
from runtime.corpus import Sentence
from runtime.settings import ConfigurationError

DANGER: Final = "danger"
UNHEARD: Final = "unheard"
"""The sign of a sentence of which nobody said whether it tells of danger to life."""
SEEN: Final = 2
"""A feature is kept that stands in so many sentences."""
_STRENGTH: Final = 10.0
_DANGER_STRENGTH: Final = 10.0
_FOLDS: Final = 5
_CATEGORIES: Final = 3
_FALSE_ALARMS: Final = 0.03
"""So many everyday complaints may raise an alarm, of those that were left out in turn. What was written to sound like
danger does not count: how much of it there is would set how little is heard.
"""
_RIGHT: Final = 0.5
"""Of the least sure proposals that are made so many shall be right."""
_ASIDE: Final = {"en": 90, "zh": 30}
"""A sentence of so many characters may stand beside another, by language."""
_REMAINS: Final = 0.6
"""What is added to the score of the category that remains: by the asides its words tell less of it."""


class Learned(NamedTuple):
    """The weights, and how good the model was on sentences left out in turn, as shares.

    ``right`` of the sentences with a category, ``proposed`` and of those ``proposed_right``; ``danger_found`` of the
    sentences of danger, ``false_alarms`` of the others.
    """

    weights: Weights
    sentences: int
    right: float
    proposed: float
    proposed_right: float
    danger_found: float
    false_alarms: float


class NothingToLearn(ConfigurationError):
    """Too few sentences, or the extra is not installed."""


def learn(rows: Sequence[Sentence]) -> Learned:
    """Learn from *rows*. The same rows give the same weights. Raises :class:`NothingToLearn`."""
    try:
        import numpy as np
        from scipy.sparse import vstack
        from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict
    except ImportError:
        raise NothingToLearn('scikit-learn is missing; install the extra learn: pip install -e ".[learn]"') from None
    counted = [features(Pieces(one.text).keys) for one in rows]
    named = [at for at, one in enumerate(rows) if one.category]
    labels = np.array([rows[at].category.value for at in named])  # type: ignore[union-attr]
    heard = [at for at, one in enumerate(rows) if one.sign != UNHEARD]
    dangers = np.array([rows[at].sign == DANGER for at in heard])
    few = sorted(name for name, count in Counter(labels.tolist()).items() if count < _FOLDS)
    if few or len(set(labels.tolist())) < _CATEGORIES or dangers.sum() < _FOLDS:
        raise NothingToLearn(f"too few sentences: {', '.join(few) or 'of danger, or of three categories'}")
    kept, rarity = _kept(counted)
    table = _table(counted, kept, rarity)
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=1)
    judge, ear = _classifier(_STRENGTH), _classifier(_DANGER_STRENGTH)
    asides = besides(rows, named)
    apart = _table([features(Pieces(text).keys) for _, text in asides], kept, rarity)
    told, telling = vstack([table[named], apart]), np.concatenate([labels, labels[[at for at, _ in asides]]])
    whose = np.array([*range(len(named)), *(at for at, _ in asides)])
    of_one = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=1)
    scores = cross_val_predict(judge, told, telling, groups=whose, cv=of_one, method="decision_function")
    alarms = cross_val_predict(ear, table[heard], dangers, cv=folds, method="decision_function")
    judge.fit(told, telling)
    ear.fit(table[heard], dangers)
    shift = _REMAINS * (judge.classes_ == REMAINS.value)
    judge.intercept_ = judge.intercept_ + shift
    scores = scores[: len(named)] + shift
    answers = np.searchsorted(judge.classes_, labels)
    heat = heat_of(scores, answers)
    sure, right = _confidences(scores, answers, heat)
    sure_enough = _threshold(sure, right)
    everyday = np.array([not rows[at].sign for at in heard])
    alarm = float(np.quantile(alarms[everyday if everyday.any() else ~dangers], 1 - _FALSE_ALARMS))
    weights = np.rint(np.vstack([rarity, judge.coef_, ear.coef_]) * THOUSANDTHS).astype(int)
    proposed = sure >= sure_enough
    version = hashlib.sha256("\n".join(map(repr, rows)).encode()).hexdigest()[:8]
    return Learned(
        Weights(
            version=version,
            categories=tuple(map(Category, judge.classes_.tolist())),
            bias=(*judge.intercept_.tolist(), float(ear.intercept_[0])),
            features={key: tuple(weights[:, at].tolist()) for at, key in enumerate(kept)},
            heat=round(heat, 3),
            sure_enough=round(sure_enough, 3),
            alarm=round(1 / (1 + math.exp(-alarm)), 4),
        ),
        sentences=len(rows),
        right=float(right.mean()),
        proposed=float(proposed.mean()),
        proposed_right=float(right[proposed].mean()),
        danger_found=float((alarms[dangers] >= alarm).mean()),
        false_alarms=float((alarms[~dangers] >= alarm).mean()),
    )


def dangers_left_out(rows: Sequence[Sentence], folds: Sequence[int]) -> list[float]:
    """How likely each of *rows* that has a fold, which is none below nought, tells of danger to life, as a model hears
    it that learned from those of the other folds.
    """
    heard: dict[int, float] = {}
    for out in sorted({one for one in folds if one >= 0}):
        listener = _listener([one for one, fold in zip(rows, folds, strict=True) if fold != out])
        heard |= {at: listener.danger(one.text) for at, one in enumerate(rows) if folds[at] == out}
    return [heard[at] for at in sorted(heard)]


def _listener(rows: Sequence[Sentence]) -> Model:
    """A model that hears danger to life and knows no categories."""
    counted = [features(Pieces(one.text).keys) for one in rows]
    kept, rarity = _kept(counted)
    ear = _classifier(_DANGER_STRENGTH).fit(_table(counted, kept, rarity), [one.sign == DANGER for one in rows])
    learned = zip(kept, (rarity * THOUSANDTHS).round(), (ear.coef_[0] * THOUSANDTHS).round(), strict=True)
    weights = {key: (int(rare), int(weight)) for key, rare, weight in learned}
    return Model(Weights(version="", categories=(), bias=(float(ear.intercept_[0]),), features=weights))


def _classifier(strength: float) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=strength, max_iter=300, class_weight="balanced", random_state=1)


def besides(rows: Sequence[Sentence], named: Sequence[int]) -> list[tuple[int, str]]:
    """Sentences that say as well that nobody answers, each with the place in *named* of the one it is made of.

    Such a complaint is about the matter, not about that.
    """
    short: dict[str, list[str]] = {}
    for at in named:
        one = rows[at]
        if one.category is REMAINS and len(one.text) <= _ASIDE.get(one.language, 0):
            short.setdefault(one.language, []).append(one.text)
    made = []
    for place, at in enumerate(named):
        one = rows[at]
        if one.category not in {REMAINS, Category.OTHER} and one.language in short:
            parts = [one.text, short[one.language][place % len(short[one.language])]]
            made.append((place, ". ".join(parts if place % 3 else reversed(parts))))
    return made


def _kept(counted: Sequence[Counter[int]]) -> tuple[list[int], Any]:
    """The features kept, and how rare each is."""
    import numpy as np

    seen: Counter[int] = Counter()
    for each in counted:
        seen.update(each.keys())
    kept = sorted(feature for feature, count in seen.items() if count >= SEEN)
    return kept, np.array([round(math.log((1 + len(counted)) / (1 + seen[one])) + 1, 3) for one in kept])


def _table(counted: Sequence[Counter[int]], kept: Sequence[int], rarity: Any) -> Any:
    """A row of the values of the features *kept* for each sentence, all of length 1."""
    from scipy.sparse import csr_matrix

    place = {feature: at for at, feature in enumerate(kept)}
    rows, columns, values = [], [], []
    for row, each in enumerate(counted):
        known = [(place[feature], count) for feature, count in each.items() if feature in place]
        told = [(1 + math.log(count)) * rarity[at] for at, count in known]
        length = math.sqrt(sum(value * value for value in told)) or 1.0
        rows += [row] * len(known)
        columns += [at for at, _ in known]
        values += [value / length for value in told]
    return csr_matrix((values, (rows, columns)), shape=(len(counted), len(kept)))


def _confidences(scores: Any, answers: Any, heat: float) -> tuple[Any, Any]:
    """How sure each sentence's likeliest category is, and whether it is right."""
    import numpy as np

    shares = np.exp((scores - scores.max(1, keepdims=True)) / heat)
    shares /= shares.sum(1, keepdims=True)
    return shares.max(1), shares.argmax(1) == answers


def heat_of(scores: Any, answers: Any) -> float:
    """By what the scores are to be divided so that the right answers are as likely as can be."""
    import numpy as np
    from scipy.optimize import minimize_scalar

    def surprise(heat: float) -> float:
        shares = (scores - scores.max(1, keepdims=True)) / heat
        chosen = shares[np.arange(len(answers)), answers]
        return float((np.log(np.exp(shares).sum(1)) - chosen).mean())

    measure: Callable[[float], float] = surprise
    return float(minimize_scalar(measure, bounds=(0.05, 5), method="bounded").x)


def _threshold(sure: Any, right: Any) -> float:
    """The least confidence at which so many as wanted of those about as sure are right."""
    import numpy as np

    for low in np.arange(0.15, 0.9, 0.01):
        near = (sure >= low) & (sure < low + 0.1)
        if near.sum() and right[near].mean() >= _RIGHT:
            return float(low)
    return 0.9
