"""Metrics as Prometheus reads them."""

from collections.abc import Iterator, Mapping

from prometheus_client.parser import text_string_to_metric_families

Labels = Mapping[str, str]


def samples(text: str) -> Iterator[tuple[str, Labels, float]]:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield sample.name, sample.labels, sample.value


def value(text: str, wanted: str, **labels: str) -> float:
    """The sum of the samples that have at least these labels."""
    return sum(
        number
        for name, given, number in samples(text)
        if name == wanted and labels.items() <= given.items()
    )
