"""Tests of the Queries, by the calls that users make: `coflows test` runs them."""

import pytest


def test_add(query):
    assert query.pyapi.Add(1, 2) == 1 + 2


def test_weights_are_whole(query):
    weights = [row["weight"] for row in query.portfolio.holdings()]
    assert sum(weights) == pytest.approx(1, abs=0.001)


def test_total_is_the_sum_of_the_holdings(query):
    assert query.portfolio.total() == pytest.approx(sum(row["value"] for row in query.portfolio.holdings()))


def test_losses_grow_with_the_level(query):
    assert query.risk.value_at_risk(0.99) > query.risk.value_at_risk(0.95)


def test_the_chart_is_a_picture(query):
    assert query.reports.chart().startswith(b"\x89PNG")


def test_months_lead_to_the_total(query):
    months = list(query.reports.monthly())
    assert [month["month"] for month in months] == sorted(month["month"] for month in months)
    assert months[-1]["value"] == query.portfolio.total()


def test_every_function_is_described(workflow):
    assert all(f.description for entry in workflow.catalog.queries.values() for f in entry.functions.values())


def test_the_market_has_tables(query):
    assert list(query.market.quotes()) == []
    assert list(query.market.alarms()) == []
