"""The templates of the pages: everything that is filled in is escaped, and nothing may be left out."""

from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from nightjar.review.tokens import Session

PACKAGE = "nightjar.review.page"


class Templates:
    """The templates, for one project."""

    def __init__(self, title: str) -> None:
        """For pages of a project of this title."""
        loader = PackageLoader(PACKAGE, "templates")
        self._environment = Environment(
            loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self._environment.globals["project_title"] = title

    def fill(self, template: str, session: Session | None, *, status: int = 200, **values: Any) -> HTMLResponse:
        """A page.

        Args:
            template: name of the template.
            session: of whoever sees it; None: nobody's.
            status: of the answer.
            values: what is filled in.
        """
        return HTMLResponse(self._environment.get_template(template).render(values, session=session), status)
