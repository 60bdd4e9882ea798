"""Questions and answers for customers, as the record has them."""

from typing import TYPE_CHECKING, Final

from domain.ground.people import Actor
from domain.learning.articles import Article, ArticleStep, DecideArticle, WriteArticle, standing
from record.proofs import proofs_here

if TYPE_CHECKING:
    from record.connection import Connection


async def read_articles(connection: "Connection") -> list[Article]:
    """All articles as they stand, by name."""
    steps = []
    for row in await connection.fetch(_STEPS):
        kind = WriteArticle if row["said"]["name"] == WriteArticle.name else DecideArticle
        told = {name: value for name, value in row["said"].items() if name != "name"}
        said = kind.model_validate(told | {"message_id": row["message_id"], "actor": Actor.named(row["by"])})
        steps.append(
            ArticleStep(article=row["article"], number=row["number"], at=row["at"], said=said, token=row["token"])
        )
    return standing(steps, proofs_here())


_STEPS: Final = (
    "select article, number, at, by, said, message_id, token from reporting.articles order by article, number"
)
