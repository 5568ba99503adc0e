"""Pages: one HTML file each that needs nothing else, in one style, without scripts."""

import base64
import hashlib
import uuid
from datetime import datetime
from importlib import resources
from typing import Any

import pyarrow.fs
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from nightjar.report import formatting
from nightjar.report.document import Chart, Document

STYLE = "night.css"
_FILTERS = (
    *(formatting.figure, formatting.whole, formatting.percent, formatting.p_value, formatting.interval),
    *(
        formatting.points,
        formatting.compact,
        formatting.seconds,
        formatting.measure,
        formatting.heading,
        formatting.dates,
        formatting.dash,
    ),
)
"""Functions by whose names templates format values."""


def fill(package: str, template: str, **values: Any) -> str:
    """A page as text, made of a template of a package, which is given the style and its hash besides."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {one.__name__: one for one in _FILTERS}
    environment.globals["count_noun"] = formatting.count_noun
    style = _resource("nightjar.report", STYLE)
    filled = environment.from_string(_resource(package, template))
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return filled.render(**values, style=Markup(style), style_hash=digest)  # noqa: S704  (our own file)


def render(document: Document) -> str:
    """A document as a page."""
    return fill("nightjar.report", "document.html.j2", document=document)


def pictures(document: Document) -> list[str]:
    """The charts of a document's sections, in order, each as an SVG file that needs nothing else."""
    style = Markup("<style>{}</style></svg>").format(Markup(_resource("nightjar.report", STYLE)))  # noqa: S704  (ours)
    charts = [part.picture for section in document.sections for part in section.parts if isinstance(part, Chart)]
    namespace = '<svg xmlns="http://www.w3.org/2000/svg" '
    return [f"{namespace}{chart.removeprefix('<svg ').removesuffix('</svg>')}{style}\n" for chart in charts]


def _resource(package: str, name: str) -> str:
    """The text of a file of a package, which may be installed as a zip."""
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")


def exists(path: str) -> bool:
    """Whether there is such a file."""
    system, place = pyarrow.fs.FileSystem.from_uri(path)
    return bool(system.get_file_info(place).type == pyarrow.fs.FileType.File)


def saved_at(path: str) -> datetime | None:
    """The instant (UTC) at which such a file was written, by the clock of where it lies; None: there is none."""
    system, place = pyarrow.fs.FileSystem.from_uri(path)
    info = system.get_file_info(place)
    return info.mtime if info.type == pyarrow.fs.FileType.File else None


def save(path: str, page: str) -> None:
    """Write the file next to its place, then move it there; folders and object stores alike."""
    system, place = pyarrow.fs.FileSystem.from_uri(path)
    folder, _, name = place.rpartition("/")
    draft = f"{folder}/.{name}.{uuid.uuid4().hex}"
    system.create_dir(folder, recursive=True)
    try:
        with system.open_output_stream(draft) as stream:
            stream.write(page.encode())
        system.move(draft, place)
    except BaseException:
        if system.get_file_info(draft).type != pyarrow.fs.FileType.NotFound:
            system.delete_file(draft)
        raise
