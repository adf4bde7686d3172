"""``/metrics``: what Prometheus reads. Jupyter serves it, and we do where only our routes are served."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import accumulate

import prometheus_client
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from coflows_jupyter.host.worker import THREADS
from coflows_jupyter.runs.metrics import BOUNDS
from coflows_jupyter.server.base import BaseHandler
from coflows_jupyter.server.rules import Rule, enforce
from coflows_jupyter.server.services import Services

_LE = [*map(str, BOUNDS), "+Inf"]


class WorkflowCollector(Collector):
    """Makes metrics of what engines count, when somebody asks.

    Args:
        services: has the Workflows.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterator[Metric]:
        """Give every metric; called by Prometheus' client."""
        yield from self._calls()
        yield from self._hosts()

    def describe(self) -> Iterator[Metric]:
        """Give nothing: names are known only when there are Workflows."""
        return iter(())

    def _calls(self) -> Iterator[Metric]:
        calls = CounterMetricFamily(
            "coflows_calls",
            "Calls of functions that ended, or never came to one.",
            labels=["workflow", "query", "function", "outcome", "door"],
        )
        seconds = HistogramMetricFamily(
            "coflows_call_duration_seconds",
            "From the call's arrival to the last byte of its result.",
            labels=["workflow", "query", "function"],
        )
        for engine in self._services.workflows:
            functions: dict[tuple[str, str], tuple[list[int], float]] = {}
            for labels, count in engine.runs.metrics.counts.items():
                calls.add_metric([engine.id, *labels], count.total)
                buckets, took = functions.get(labels[:2], ([0] * len(_LE), 0.0))
                summed = [a + b for a, b in zip(buckets, count.buckets, strict=True)]
                functions[labels[:2]] = (summed, took + count.seconds)
            for labels, number in engine.runs.metrics.refused.items():
                calls.add_metric([engine.id, *labels], number)
            for (query, function), (buckets, took) in functions.items():
                seconds.add_metric([engine.id, query, function], list(zip(_LE, accumulate(buckets), strict=True)), took)
        yield calls
        yield seconds

    def _hosts(self) -> Iterator[Metric]:
        flying = GaugeMetricFamily("coflows_calls_in_flight", "Calls in hosts now.", labels=["workflow"])
        waiting = GaugeMetricFamily(
            "coflows_calls_waiting",
            "Calls that wait for a host, or are more than a host has threads.",
            labels=["workflow"],
        )
        hosts = GaugeMetricFamily("coflows_hosts", "Hosts by their state.", labels=["workflow", "state"])
        crashes = CounterMetricFamily("coflows_host_crashes", "Hosts that ended by themselves.", labels=["workflow"])
        dropped = CounterMetricFamily(
            "coflows_runs_dropped", "Runs that got no row in the history.", labels=["workflow"]
        )
        for engine in self._services.workflows:
            status = engine.status()
            flying.add_metric([engine.id], sum(host.in_flight for host in status.hosts))
            queued = sum(max(host.in_flight - THREADS, 0) for host in status.hosts)
            waiting.add_metric([engine.id], status.waiting + queued)
            for state, number in Counter(host.state for host in status.hosts).items():
                hosts.add_metric([engine.id, state], number)
            crashes.add_metric([engine.id], status.crashes)
            if engine.runs.ledger is not None:
                dropped.add_metric([engine.id], engine.runs.ledger.dropped)
        yield from (flying, waiting, hosts, crashes, dropped)


class MetricsHandler(BaseHandler):
    """``GET /metrics`` where Jupyter's own is not served."""

    def get(self) -> None:
        """Answer as Jupyter does: to those it knows, or to everybody where the operator wants that."""
        if self.settings.get("authenticate_prometheus", True):
            enforce(Rule.IDENTIFIED, self.caller, "")
        self.set_header("Content-Type", prometheus_client.CONTENT_TYPE_LATEST)
        self.finish(prometheus_client.generate_latest())
