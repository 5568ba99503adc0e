"""Each job's settings: what its root file in `conf/` holds."""

from nightjar.settings import jobs
from nightjar.settings.alerts import Alerts
from nightjar.settings.compare import Compare
from nightjar.settings.explain import Explain
from nightjar.settings.nightly import Nightly
from nightjar.settings.profile import Profile
from nightjar.settings.quarantine import Quarantine
from nightjar.settings.report import Report
from nightjar.settings.retract import Retract
from nightjar.settings.review import Review

ROOTS: dict[jobs.JobName, type[jobs.Job]] = {
    jobs.JobName.INGEST: jobs.Ingest,
    jobs.JobName.BUILD_FEATURES: jobs.BuildFeatures,
    jobs.JobName.TRAIN: jobs.Train,
    jobs.JobName.PROMOTE: jobs.Promote,
    jobs.JobName.SCORE: jobs.Score,
    jobs.JobName.MONITOR: jobs.Monitor,
    jobs.JobName.NIGHTLY: Nightly,
    jobs.JobName.MAINTAIN: jobs.Maintain,
    jobs.JobName.LEASES: jobs.Leases,
    jobs.JobName.QUARANTINE: Quarantine,
    jobs.JobName.PROFILE: Profile,
    jobs.JobName.COMPARE: Compare,
    jobs.JobName.EXPLAIN: Explain,
    jobs.JobName.REVIEW: Review,
    jobs.JobName.RETRACT: Retract,
    jobs.JobName.ALERTS: Alerts,
    jobs.JobName.REPORT: Report,
}
