"""Feast's point-in-time query, built and run by its own Spark offline store."""

from datetime import timedelta

from cases import VALUES, Case
from feast import Entity, FeatureStore, FeatureView, Field, RepoConfig, ValueType
from feast.infra.offline_stores.contrib.spark_offline_store.spark_source import SparkSource
from feast.types import Float64
from pyspark.sql import DataFrame

from engines import spark

_stores: dict[str, FeatureStore] = {}


def prepare(case: Case) -> None:
    """A feature store in which each fact table is a feature view over the Spark view of its files."""
    spark.opened(case)
    config = RepoConfig(
        project="bench",
        provider="local",
        registry={"registry_type": "file", "path": f"{case.folder}/feast.db", "cache_ttl_seconds": 0},
        offline_store={"type": "spark"},
        online_store=None,
        entity_key_serialization_version=3,
    )
    features = FeatureStore(config=config)
    entities = {key: Entity(name=key, join_keys=[key], value_type=ValueType.INT64) for key in case.keys}
    views = [
        FeatureView(
            name=facts.name,
            entities=[entities[facts.key]],
            ttl=timedelta(0),
            schema=[Field(name=value, dtype=Float64) for value in VALUES],
            source=SparkSource(name=f"{facts.name}_source", table=facts.name, timestamp_field="event_time"),
            online=False,
        )
        for facts in case.facts
    ]
    features.apply([*entities.values(), *views])
    _stores[case.folder] = features


def consume(case: Case) -> None:
    spark.consume(_joined(case))


def store(case: Case, target: str) -> None:
    spark.store(_joined(case), target)


def _joined(case: Case) -> DataFrame:
    asked = [f"{facts.name}:{value}" for facts in case.facts for value in VALUES]
    retrieval = _stores[case.folder].get_historical_features(
        entity_df=spark.table("spine"), features=asked, full_feature_names=True
    )
    return retrieval.to_spark_df()
