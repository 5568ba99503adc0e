"""Who scores a night beside the champion: the challenger, which may serve some entities, and shadows.

The champion's rows are committed before. Nothing here delays, fails or alters them: what goes wrong is an alert.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.alerts.recording import Alert
from nightjar.errors import LeaseError, ModelError, is_panic
from nightjar.registry.events import Version
from nightjar.registry.roles import Challenge, Holders
from nightjar.scoring import arms, chain
from nightjar.scoring.budget import within
from nightjar.scoring.capacity import places_of
from nightjar.scoring.checks import Holder
from nightjar.scoring.night import Night
from nightjar.scoring.reasons import ReasonsPlan
from nightjar.scoring.scorer import Scorer, reasons_plan, verified_scorer, write_parts, write_unfinished
from nightjar.scoring.task import score_rows
from nightjar.scoring.tolerance import row_by_row, without_unscored
from nightjar.settings.monitoring.alerting import Severity
from nightjar.tables import scan, sink
from nightjar.tables.datafiles import NewFile
from nightjar.tables.entries import DataFile
from nightjar.tables.file_splits import read_partition
from nightjar.tables.predictions import ARM, ASSIGNMENT, CHALLENGER_ROLE, CHAMPION_ROLE, SERVED, TIER, shadow_role
from nightjar.tables.rows import TaskFunction
from nightjar.tables.runs import Outcome

log = logging.getLogger("nightjar.score")


@dataclass(frozen=True)
class Contender:
    """A version that scores beside the champion.

    Attributes:
        role: of its rows.
        holder: the version.
        challenge: of a challenger that serves some entities; None: it serves nobody.
    """

    role: str
    holder: Holder
    challenge: Challenge | None = None


def contenders(holders: Holders) -> Iterator[Contender]:
    """The challenger, then the shadows, without those that somebody has stopped."""
    if holders.challenge is not None:
        yield Contender(CHALLENGER_ROLE, Holder("challenger", holders.challenge.version), holders.challenge)
    yield from (_shadow(version) for version in holders.shadows)


def _shadow(version: Version) -> Contender:
    return Contender(shadow_role(version.number), Holder("shadow", version))


def score_beside(night: Night, holders: Holders, outcome: Outcome) -> list[Alert]:
    """Score a night by all that score beside the champion; what has gone wrong with whom.

    Args:
        night: whose champion's rows are committed.
        holders: of its roles.
        outcome: of the run, to which versions and rows are added.

    Raises:
        LeaseError: another run has taken over the night.
    """
    alerts = list[Alert]()
    for contender in contenders(holders):
        if contender.holder.version.number in holders.stopped:
            log.info("%s scores nothing: it was stopped", contender.holder)
            continue
        try:
            alerts += _score(night, contender, outcome)
        except LeaseError:
            raise
        except BaseException as error:
            if not (isinstance(error, Exception) or is_panic(error)):
                raise
            alerts.append(_alert_of_failure(night, contender, error))
    return alerts


def _score(night: Night, contender: Contender, outcome: Outcome) -> list[Alert]:
    """Score a night by one of them, and commit its rows; that of a challenger takes them from the champion's."""
    with within(night.session, night.project.serving.roles.budget, str(contender.holder)):
        scorer = verified_scorer(night, contender.holder)
        into = night.target(contender.role, **{**scorer.stamps(night), SERVED: False})
        serves = contender.challenge is not None and contender.challenge.share > 0
        plan = reasons_plan(night, scorer) if serves else None
        make = partial(_make, night, contender, scorer, plan)
        files, unfinished = write_parts(night, scorer, make, into, plan, is_bounded=True)
        files, unscored = without_unscored(files, into)
        if len(unscored) == night.rows:
            raise ModelError(f"It could not score a single row: {next(iter(unscored.values()))}")
        replaced = [contender.role]
        claimed = _places_of_champion(night, scorer, unscored, into.version or 0) if serves and unfinished else None
        files += write_unfinished(night, scorer, unfinished, into, plan, claimed)
        if serves:
            files += _champion_beside(night, unscored, into.version or 0)
            replaced.append(CHAMPION_ROLE)
    chain.require_serving(night, scorer)
    of_roles = partial(_is_in_any, night, replaced)
    outcome.outputs["scores"] = sink.commit(
        night.warehouse, into, files, of_roles, night.run_id, inputs={"features": night.version}
    )
    outcome.rows[f"scores of {contender.role}"] = night.rows - len(unscored)
    log.info("%s: %s rows", contender.holder, f"{night.rows - len(unscored):,}")
    return [_alert_of_unscored(night, contender, unscored)] if unscored else []


def _make(
    night: Night, contender: Contender, scorer: Scorer, plan: ReasonsPlan | None, read: TaskFunction
) -> TaskFunction:
    project, key, model = night.project, night.key, scorer.artifact
    challenge = contender.challenge if project.serving.assigns_arms() else None
    make = row_by_row(read, lambda some: score_rows(project, key, some, model, plan, challenge), project.name, key)
    return make if challenge is None else arms.of_challenger(make)


def _places_of_champion(night: Night, scorer: Scorer, unscored: Mapping[str, str], version: int) -> Mapping[str, int]:
    """Tier with so many rows a night -> the places of the champion's rows that stay served beside the challenger's."""
    files, places = scan.snapshot(night.warehouse, "scores", version), Counter[str]()
    columns = [name for name in (TIER, ASSIGNMENT) if name in files.schema.names]
    of_champion = (pc.field("run_date") == night.run_date) & (pc.field("role") == CHAMPION_ROLE)
    unscored_ids = pa.array(list(unscored), pa.string())  # of a type, though there be none
    stays = (pc.field(ARM) == CHAMPION_ROLE) | pc.field("prediction_id").isin(unscored_ids)
    for batch in scan.batches(files, columns, of_champion & stays):
        places.update(places_of(pa.Table.from_batches([batch]), scorer.tiers(night)))
    return places


def _champion_beside(night: Night, unscored: Mapping[str, str], version: int) -> list[NewFile]:
    """The champion's rows, as they are at a version of `scores`, as they will be once the challenger's are there."""
    into = night.target(CHAMPION_ROLE)
    of_champion = {"run_date": night.run_date, "role": CHAMPION_ROLE}
    rows = read_partition(night.session(), night.warehouse, "scores", version, into.schema.names, of_champion)
    return sink.collect(rows.task_input, arms.of_champion(rows.make, list(unscored)), into)


def _is_in_any(night: Night, names: Sequence[str], file: DataFile) -> bool:
    return any(night.is_in(role, file) for role in names)


def _alert_of_failure(night: Night, contender: Contender, error: BaseException) -> Alert:
    served = "; the champion serves all of its entities" if contender.challenge else ""
    message = (
        f"{contender.holder} has no scores of {night.run_date}{served}. {chain.in_words(error)} "
        "The champion's rows are not touched. "
        f"Mend it and score the night again, or let it go: jobs/promote.py ... action=withdraw "
        f"version={contender.holder.version.number} reason=..."
    )
    evidence = {"version": contender.holder.version.number, "error": chain.in_words(error)}
    return Alert("role_failed", contender.role, Severity.WARNING, message, evidence)


def _alert_of_unscored(night: Night, contender: Contender, unscored: Mapping[str, str]) -> Alert:
    served = ", which the champion serves" if contender.challenge else ""
    message = (
        f"{contender.holder} could not score {len(unscored):,} of {night.rows:,} rows of {night.run_date}{served}: "
        f"prediction_id {', '.join([*unscored][:3])}{' and others' if len(unscored) > 3 else ''}. "
        f"{next(iter(unscored.values()))}"
    )
    return Alert("unscored_rows", contender.role, Severity.WARNING, message, {"rows": len(unscored)})
