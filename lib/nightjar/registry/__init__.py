"""The model registry: artifacts that can be checked before they are opened, and which version is champion when."""

import os

# Before MLflow is imported: it would report its use to its developers.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
