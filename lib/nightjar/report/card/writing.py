"""The files of a card: a page, Markdown and JSON, beside the reports of the nights."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from nightjar.report import markdown, page
from nightjar.report.card import cyclonedx
from nightjar.report.card.page import document
from nightjar.report.card.records import Records
from nightjar.tables.warehouse import Warehouse


def file_name(number: str) -> str:
    """The name of a version's page in the folder of reports."""
    return f"card-{number}.html"


def files(records: Records, redact: Callable[[str], str]) -> dict[str, str]:
    """Name -> text of the card's three forms, without secrets."""
    html = file_name(records.number)
    stem = html.removesuffix(".html")
    names = {"Markdown": f"{stem}.md", "JSON of CycloneDX": f"{stem}.cdx.json"}
    card = document(records)
    texts = {
        html: page.render(replace(card, links=list(names.items()))),
        names["Markdown"]: markdown.render(card),
        names["JSON of CycloneDX"]: cyclonedx.to_json(records),
    }
    return {name: redact(text) for name, text in texts.items()}


def write(warehouse: Warehouse, texts: Mapping[str, str]) -> str:
    """Write the files into the folder of reports; returns the page's path or address."""
    paths = [warehouse.path(f"reports/{name}") for name in texts]
    for path, text in zip(paths, texts.values(), strict=True):
        page.save(path, text)
    return paths[0]
