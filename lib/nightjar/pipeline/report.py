"""The job report: pages of nights anew, the index of nights, or a server that shows them; it writes no table."""

import logging
import sys
from datetime import timedelta

from nightjar.errors import UsageError
from nightjar.pipeline import catalogue
from nightjar.pipeline.execution import Context
from nightjar.report import index, night
from nightjar.report.serving import Reports
from nightjar.settings.report import Report, ReportAction
from nightjar.settings.run_dates import parse_run_dates

log = logging.getLogger("nightjar.report")


def run(context: Context) -> None:
    """Do what the settings' action says; no lease is needed, and no run is recorded."""
    settings = context.settings
    if not isinstance(settings, Report):
        raise UsageError("the job report needs its own configuration")
    if settings.action is ReportAction.SERVE:
        _serve(context, settings.port)
        return
    if settings.action is ReportAction.CATALOGUE:
        log.info("catalogue: %s", catalogue.write(context.warehouse, settings.project))
    elif settings.run_date is not None:
        first, last = parse_run_dates(settings.run_date)
        for day in range((last - first).days + 1):
            run_date = first + timedelta(days=day)
            log.info("report: %s", night.write(context.warehouse, settings.project, run_date))
    log.info("index of nights: %s", index.write(context.warehouse, settings.project))
    log.info("index of projects: %s", index.write_overview(context.warehouse.root))


def _serve(context: Context, port: int) -> None:
    """Serve until Ctrl-C or SIGTERM. The address stands on the output alone: it is a secret, which no log holds."""
    index.write_overview(context.warehouse.root)
    with Reports(context.warehouse.root, port) as server:
        sys.stdout.write(f"{server.address}\nCtrl-C ends it\n")
        sys.stdout.flush()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            log.info("reports are served no more")
