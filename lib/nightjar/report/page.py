"""Pages: one HTML file each that needs nothing else, in one style.

Pages of nights have one small script of ours, which sorts and filters tables; a policy in each page allows what has our
hash, and nothing else. Without it everything can be read.
"""

import base64
import hashlib
import uuid
from datetime import datetime
from importlib import resources
from typing import Any

import pyarrow.fs
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from nightjar.report import formatting, states
from nightjar.report.document import Chart, Document

STYLE, SCRIPT = "night.css", "night.js"
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
        formatting.mebibytes,
    ),
)
"""Functions by whose names templates format values."""


def fill(package: str, template: str, **values: Any) -> str:
    """A page as text, made of a template of a package, which is given style and script with their hashes besides."""
    environment = Environment(
        autoescape=True,
        loader=FunctionLoader(lambda name: _resource(package, name)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {one.__name__: one for one in _FILTERS}
    environment.globals["count_noun"] = formatting.count_noun
    environment.globals |= {one.__name__: one for one in (states.badge, states.sign, states.tally)}
    own = {name: _resource("nightjar.report", file) for name, file in {"style": STYLE, "script": SCRIPT}.items()}
    hashes = {f"{name}_hash": _digest(text) for name, text in own.items()}
    return environment.get_template(template).render(
        **values,
        **hashes,
        **{name: Markup(text) for name, text in own.items()},  # noqa: S704  (our own files)
    )


def _digest(text: str) -> str:
    """As a policy names it."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def render(document: Document) -> str:
    """A document as a page."""
    return fill("nightjar.report", "templates/document.html.j2", document=document)


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


def names(folder: str) -> list[str]:
    """The names of the files of a folder, in order; none where there is no such folder."""
    system, place = pyarrow.fs.FileSystem.from_uri(folder)
    files = system.get_file_info(pyarrow.fs.FileSelector(place, allow_not_found=True))
    return sorted(one.base_name for one in files if one.type == pyarrow.fs.FileType.File)


def folders(place: str) -> list[str]:
    """The names of the folders of a folder, in order."""
    system, path = pyarrow.fs.FileSystem.from_uri(place)
    inside = system.get_file_info(pyarrow.fs.FileSelector(path, allow_not_found=True))
    return sorted(one.base_name for one in inside if one.type == pyarrow.fs.FileType.Directory)


def read(path: str) -> bytes:
    """The content of a file."""
    system, place = pyarrow.fs.FileSystem.from_uri(path)
    with system.open_input_stream(place) as stream:
        return bytes(stream.read())


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
