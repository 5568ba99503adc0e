"""The catalogue's queries, run as a reader pastes them, on the tables of whole nights."""

from nightjar.report.catalogue.contents import read_catalogue
from nightjar.report.catalogue.examples import across, of_table


def test_the_sql_of_the_catalogue_runs_and_answers(nights, spark):
    catalogue = read_catalogue(nights.warehouse, nights.project)
    answers = {query.question: spark.sql(query.text.rstrip(";")).collect() for query in across(catalogue)}
    turned_out = answers["How the served predictions of each night turned out"]
    assert [row["predictions"] for row in turned_out] == [5] * len(turned_out)
    assert all(row["labelled"] <= 5 and 0 <= row["mean_score"] <= 1 for row in turned_out)
    assert all(answers.values())
    origin = next(rows for question, rows in answers.items() if question.startswith("From the scores of a night"))
    assert "features" in origin[0]["inputs"]
    features = next(table for table in catalogue.tables() if table.name == "features")
    sql, _ = of_table(features, catalogue.newest)
    assert len(spark.sql(sql.text.rstrip(";")).collect()) == 5
