"""The model registry: artifacts that can be checked before they are opened, and which version is champion when."""

import os

os.environ.setdefault(
    "MLFLOW_DISABLE_TELEMETRY", "true"
)  # before MLflow is imported: it would tell its makers of its use
