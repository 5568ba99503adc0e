"""A project is proposed of a file that nobody prepared: it composes, and says why it is as it is."""

import shutil
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nightjar.config import compose_job, make_settings
from nightjar.errors import SourceError, UsageError
from nightjar.profiling.columns import profile
from nightjar.profiling.placing import place
from nightjar.profiling.proposal import propose
from nightjar.profiling.reading import opened
from nightjar.profiling.writing import files
from nightjar.settings.jobs import JobName
