"""What Prometheus' own client reads in /metrics."""

from importlib.metadata import version

from checks import Checks, equal, expect
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
