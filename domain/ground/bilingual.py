"""The same statement in both languages."""

from domain.ground.base import Record


class Bilingual(Record):
    """The same statement in English and Chinese."""

    en: str
    zh: str

    def in_language(self, language: str) -> str:
        return self.zh if language.startswith("zh") else self.en
