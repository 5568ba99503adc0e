"""What the page of a night has, in its order."""

from nightjar.report.report_data import NightData


def sections(night: NightData) -> list[tuple[str, str]]:
    """Anchor and short name of each section that there is."""
    champion = night.champion
    every: list[tuple[str, str, object]] = [
        ("signals", "Signals", True),
        ("data", "Data", True),
        ("drift", "Drift", True),
        ("scores", "Scores", True),
        ("performance", "Performance", True),
        ("slices", "Slices", night.slices),
        ("fairness", "Groups", champion and champion.fairness),
        ("failures", "Failures", champion and champion.analysis),
        ("decision", "Gates", night.decision),
        *((f"experiment-{one.version}", f"Version {one.version}", True) for one in night.experiments),
        ("tiers", "Tiers", champion and champion.tiers),
        ("decisions", "Decisions", night.decisions),
        ("reviews", "Review", night.queue or night.reviews),
        ("reasons", "Reasons", night.reasons),
        ("alerts", "Alerts", night.alerts),
        ("retraining", "Retraining", night.triggers),
        ("steps", "Steps and cost", True),
        ("provenance", "Provenance", True),
        ("queries", "Queries", True),
    ]
    return [(name, words) for name, words, is_there in every if is_there]
