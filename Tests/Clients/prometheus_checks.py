"""What Prometheus' own client reads in /metrics."""

import json
from importlib.metadata import version

from checks import Checks, Script, equal, expect
from prometheus_client.parser import text_string_to_metric_families

checks = Checks()
MOST_SERIES = 2000


def families(context):
    answer = context.http("GET", "/metrics")
    equal(answer.status, 200)
    return {family.name: family for family in text_string_to_metric_families(answer.data.decode())}


@checks.check("every family has a type, a help text and one set of labels, and there are few series")
def shape(context):
    context.needs_route("GET", "/metrics")
    found = families(context)
    for family in found.values():
        expect(family.name.startswith("agentqueue_") and family.documentation and family.type != "unknown", f"{family}")
        names = {frozenset(sample.labels) - {"le"} for sample in family.samples}
        expect(len(names) == 1, f"{family.name} has several sets of labels: {names}")
    series = [(sample.name, frozenset(sample.labels.items())) for family in found.values() for sample in family.samples]
    equal(len(series), len(set(series)))
    expect(len(series) <= MOST_SERIES, f"{len(series)} series")


FAMILIES = """
jobs jobs_ended oldest_waiting_seconds calls tokens cost_usd saved_usd answers http_requests http_request_duration_seconds
http_first_byte_seconds overhead_seconds queue_wait_seconds call_duration_seconds attached waiting_requests streams connections
breaker_open spent_today_usd database_bytes commit_seconds workers last_commit_timestamp_seconds build_info
""".split()
BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 600, float("inf")]


@checks.check("a call is in every family that is about calls, with the bounds that are promised")
def calls(context):
    context.needs_route("GET", "/metrics")
    context.http("POST", "/v1/chat/completions", body=json.dumps({"model": "scripted", "messages": [{"role": "user", "content": str(Script())}]}))
    found = families(context)
    missing = [name for name in FAMILIES if f"agentqueue_{name}" not in found and name != "oldest_waiting_seconds"]
    equal(missing, [])
    for name, family in found.items():
        if family.type == "histogram":
            bounds = sorted({float(sample.labels["le"]) for sample in family.samples if sample.name.endswith("_bucket")})
            equal(bounds, BOUNDS)
    equal({sample.labels["by"] for sample in found["agentqueue_answers"].samples}, {"provider", "cache", "coalesced", "fallback"})


@checks.check("counts rise with requests, and buckets add up")
def counts(context):
    context.needs_route("GET", "/metrics")

    def requests():
        samples = families(context)["agentqueue_http_requests"].samples
        return sum(sample.value for sample in samples if sample.labels == {"route": "/health", "status": "200"})

    context.http("GET", "/health")
    before = requests()
    for _ in range(3):
        context.http("GET", "/health")
    equal(requests(), before + 3)
    durations = families(context)["agentqueue_http_request_duration_seconds"].samples
    buckets = [sample.value for sample in durations if sample.labels.get("route") == "/health" and sample.name.endswith("_bucket")]
    count = [sample.value for sample in durations if sample.labels.get("route") == "/health" and sample.name.endswith("_count")]
    equal(buckets, sorted(buckets))
    equal(buckets[-1:], count)


if __name__ == "__main__":
    checks.main(f"prometheus {version('prometheus-client')}")
