"""What a page says, read back with the standard library's parser."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """Tables by caption as rows of texts, lists by class as texts of their items, and every tag with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.lists: dict[str, list[str]] = {}
        self.code: dict[str, list[str]] = {"sql": [], "python": []}
        self._rows: list[list[str]] = []
        self._open: list[tuple[str, list[str], str | None]] = []
        self._lists: list[str | None] = []
        self._texts: list[str] = []
        self.feed(html)
        self.text = " ".join("".join(self._texts).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("b", "code", "span"):
            self._texts.append(" ")
        if tag in ("ul", "ol"):
            self._lists.append(dict(attrs).get("class"))
        if tag == "tr":
            self._rows.append([])
        if tag in ("td", "th", "caption", "li", "pre", "style", "script"):
            self._open.append((tag, [], dict(attrs).get("class")))

    def handle_data(self, data):
        if not any(tag in ("style", "script") for tag, _, _ in self._open):
            self._texts.append(data)
        for _, texts, _ in self._open:
            texts.append(data)

    def handle_endtag(self, tag):
        if tag == "table":
            self._rows = []
        if tag in ("ul", "ol"):
            self._lists.pop()
        if not self._open or self._open[-1][0] != tag:
            return
        _, texts, kind = self._open.pop()
        text = " ".join("".join(texts).split())
        if tag == "caption":
            self._rows = self.tables.setdefault(text, [])
        elif tag in ("td", "th"):
            self._rows[-1].append(text)
        elif tag == "li":
            self.lists.setdefault(self._lists[-1] or "", []).append(text)
        elif tag == "pre" and kind in self.code:
            self.code[kind].append("".join(texts))

    @property
    def facts(self) -> list[str]:
        """The numbers of the head."""
        return self.lists.get("facts", [])

    def table(self, start: str) -> list[dict[str, str]]:
        """The rows of the table whose caption starts so, by column head."""
        (rows,) = [rows for caption, rows in self.tables.items() if caption.startswith(start)]
        return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
