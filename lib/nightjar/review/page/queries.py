"""What an address says after its question mark: which cases, in which order, which page of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from nightjar.review.selection import Order, Selection
from nightjar.settings.review import View

PER_PAGE = 50
LONGEST = 100  # characters of a search


@dataclass(frozen=True)
class Query:
    """What a person looks at.

    Attributes:
        selection: which cases.
        page: which page of them, from 1; it need not exist.
    """

    selection: Selection
    page: int = 1

    def pages_of(self, cases: int) -> int:
        """How many pages so many cases are."""
        return max(1, -(-cases // PER_PAGE))

    def page_of(self, cases: int) -> int:
        """The page that is shown of so many cases."""
        return min(max(self.page, 1), self.pages_of(cases))

    def suffix(self, **changed: object) -> str:
        """The part of an address that says the same, but for what is changed; what is as by default is left out.

        Example:
            >>> Query(Selection(tier="review"), 3).suffix(order="due", page=1)
            '?tier=review&order=due'
        """
        chosen, default = self.selection, Selection()
        values = {"view": chosen.view.word, "tier": chosen.tier, "text": chosen.text, "order": chosen.order.word}
        values |= {"page": str(self.page)} | {name: str(value) for name, value in changed.items()}
        usual = {"view": default.view.word, "tier": "", "text": "", "order": default.order.word, "page": "1"}
        unusual = {name: value for name, value in values.items() if value != usual.get(name, "")}
        return f"?{urlencode(unusual)}" if unusual else ""


def read_query(parameters: Mapping[str, str]) -> Query:
    """What the parameters of an address say; what none of ours says is as by default."""
    views, orders = {one.word: one for one in View}, {one.word: one for one in Order}
    view = views.get(parameters.get("view", ""), View.TODO)
    order = orders.get(parameters.get("order", ""), Order.PRIORITY)
    text = parameters.get("text", "").strip()[:LONGEST]
    page = parameters.get("page", "1")
    number = int(page) if page.isascii() and page.isdecimal() and len(page) < 9 else 1
    return Query(Selection(view, parameters.get("tier", "")[:LONGEST], text, order), number)
