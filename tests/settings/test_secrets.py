"""What of a configuration is secret: by the names of options, and where it stands in a text."""

import pytest

from nightjar.settings import secrets
from nightjar.settings.secrets import HIDDEN


@pytest.mark.parametrize(
    "name",
    [
        "spark.hadoop.fs.s3a.secret.key",
        "spark.hadoop.fs.s3a.access.key",
        "spark.hadoop.fs.s3a.session.token",
        "spark.hadoop.fs.azure.account.key.lake.dfs.core.windows.net",
        "spark.hadoop.fs.azure.sas.fixed",
        "spark.hadoop.fs.gs.auth.service.account.private.key",
        "spark.hadoop.fs.s3a.server-side-encryption.key",
        "spark.authenticate.secret",
        "spark.ssl.keyPassword",
        "spark.executorEnv.AWS_SECRET_ACCESS_KEY",
        "spark.store.apiKey",
        "spark.store.Credential",
    ],
)
def test_an_option_that_is_called_like_a_secret_is_masked(name):
    others = {"spark.ui.port": "4041", "spark.hadoop.fs.s3a.aws.credentials.provider": "a.Class"}
    config = {"environment": {"spark": {name: "hunter22", **others}}}
    assert secrets.mask(config) == {"environment": {"spark": {name: HIDDEN, **others}}}
    assert list(secrets.of_config(config)) == ["hunter22"]
    assert "hunter22" in secrets.of_overrides([f"environment.spark.{name}=hunter22"])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("-Dtrust.password=hunter22 -Duser=me", f"-Dtrust.password={HIDDEN} -Duser=me"),
        ("-Dtrust.password=abc", f"-Dtrust.password={HIDDEN}"),
        ("https://me:hunter@22@host/a", f"https://{HIDDEN}@host/a"),
        ("https://hunter22@host/a", f"https://{HIDDEN}@host/a"),
        ("https://host/a?sv=1&sig=hunter22&x=2", f"https://host/a?sv=1&sig={HIDDEN}&x=2"),
        ("jdbc:postgresql://host/db?user=me&password=hunter22", f"jdbc:postgresql://host/db?user=me&password={HIDDEN}"),
        ("abfss://container@account.dfs.core.windows.net/lake", "abfss://container@account.dfs.core.windows.net/lake"),
        ("s3://bucket/keys/tokens", "s3://bucket/keys/tokens"),
        ("local[*]", "local[*]"),
    ],
)
def test_what_is_secret_within_a_value_is_masked_and_the_rest_stays(text, shown):
    config = {"environment": {"warehouse": text}}
    assert secrets.mask(config) == {"environment": {"warehouse": shown}}
    if "abc" not in text:  # too short to be looked for in what others say
        assert secrets.hide(f"cannot open {text}", secrets.of_config(config)) == f"cannot open {shown}"


def test_outside_the_environment_only_addresses_are_masked():
    """A column may be called so, and another configuration has another hash."""
    config = {"project": {"columns": {"token": "LONG", "password_age": "1"}, "path": "https://me:hunter22@host/f.csv"}}
    assert secrets.mask(config) == {
        "project": {"columns": {"token": "LONG", "password_age": "1"}, "path": f"https://{HIDDEN}@host/f.csv"}
    }


def test_a_secret_of_a_command_line_is_known_before_anything_is_made_of_it():
    asked = ["+environment.sprak.password='a b'", "environment.spark={spark.x.token: hunter22}", "run_date=2024-04-01"]
    assert {"a b", "hunter22"} < set(secrets.of_overrides(asked))
    assert list(secrets.of_overrides(["run_date=2024-04-01", "environment.cpus=2", "password"])) == []


def test_words_of_a_few_letters_are_not_looked_for_elsewhere():
    assert secrets.hide("the tokens are true", ["the", "true"]) == "the tokens are true"
    assert secrets.hide("abcdef abc", ["abcd", "abcdef"]) == f"{HIDDEN} abc"
