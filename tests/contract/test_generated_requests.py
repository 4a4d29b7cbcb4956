"""The whole document, attacked by requests that are generated from it.

Each request is checked for an undeclared status, a body or header unlike the
declared one, a server error, and something invalid that was accepted. Alone, each
request finds the sample data unchanged; in scenarios, what one answered with goes
into the next, along the links that follow from the document.
"""

import json
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from typing import TYPE_CHECKING, Final

import pytest
import schemathesis
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Response
from schemathesis.config import SchemathesisConfig
from schemathesis.generation.stateful.state_machine import StepInput, StepOutput
from typing_extensions import override

from api.application import api
from config.wsgi import application
from tests.contract.connections import one_connection
from tests.contract.sample_data import SampleData, create_sample_data

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

    from schemathesis.specs.openapi.schemas import OpenApiCase

_CONFIG: Final = {
    "checks": {
        # A schema cannot say what is a cursor, a weak password or a blank text.
        "positive_data_acceptance": {"enabled": False},
        # Sent along, the token could not be left out: test_access_matrix does that.
        "ignored_auth": {"enabled": False},
        # A deleted message that others replied to is still read, as a tombstone.
        "use_after_free": {"enabled": False},
        # Whoever leaves a conversation that they started gets not found.
        "ensure_resource_availability": {"enabled": False},
        # 413, for one: it comes before anything else that is wrong with a body.
        "negative_data_rejection": {"expected-statuses": ["4xx"]},
    },
    "generation": {"with-security-parameters": False},
}

# Would end the scenario: whatever comes after it is a 401.
_ENDS: Final = ("auth_revoke_current_token",)

# The schema of a stream is that of its frames' data; here it would be held against whole
# frames. tests/client/test_live_events.py reads them as what it says.
_STREAMS: Final = ("events_stream",)


def answered_whole(
    environ: "WSGIEnvironment", start_response: "StartResponse"
) -> Iterable[bytes]:
    """Schemathesis reads an answer without closing it, as servers do."""
    with closing(application(environ, start_response)) as it:
        return [*it]


DOCUMENT: Final = schemathesis.openapi.from_dict(
    json.loads(json.dumps(api.get_openapi_schema())),
    config=SchemathesisConfig.from_dict(_CONFIG),
).exclude(operation_id=list(_STREAMS))
DOCUMENT.app = answered_whole

# The same requests in every run of CI; others in every long run.
SOME: Final = settings(
    max_examples=100,
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
MANY: Final = settings(SOME, max_examples=1000, derandomize=False, database=None)


@pytest.fixture
def sample_data(db: None) -> SampleData:
    return create_sample_data()


def send(case: "OpenApiCase", sample_data: SampleData) -> None:
    """Send it, check the answer, and undo what it did."""
    if case.meta is not None and case.meta.generation.mode.is_positive:
        _ground(case, sample_data)
    with one_connection(), transaction.atomic():
        case.call_and_validate(headers=_credentials(case, sample_data))
        transaction.set_rollback(True)


@DOCUMENT.parametrize()
@SOME
def test_generated_requests_are_answered_as_declared(
    case: "OpenApiCase", sample_data: SampleData
) -> None:
    send(case, sample_data)


@pytest.mark.long
@DOCUMENT.parametrize()
@MANY
def test_many_generated_requests_are_answered_as_declared(
    case: "OpenApiCase", sample_data: SampleData
) -> None:
    send(case, sample_data)


class Scenarios(DOCUMENT.exclude(operation_id=list(_ENDS)).as_state_machine()):  # type: ignore[misc]  # made at run time
    """Requests in a row, each scenario on sample data of its own."""

    # Calls with a value that an earlier answer gave, by operation and status.
    linked: Counter[tuple[str, int]]

    @override
    def setup(self) -> None:
        self.undone = transaction.atomic()
        self.undone.__enter__()
        self.sample_data = create_sample_data()

    @override
    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undone.__exit__(None, None, None)

    @override
    def get_call_kwargs(self, case: "OpenApiCase") -> dict[str, object]:
        return {"headers": _credentials(case, self.sample_data)}

    @override
    def call(self, case: "OpenApiCase", **kwargs: object) -> Response:
        with one_connection():
            answered: Response = super().call(case, **kwargs)
        return answered

    @override
    def step(self, input: StepInput) -> StepOutput:
        output: StepOutput = super().step(input)
        if input.transition is not None and input.is_applied:
            self.linked[_operation_id(input.case), output.response.status_code] += 1
        return output


def run_scenarios(wanted: settings) -> None:
    """Run them, and require that they were more than requests side by side."""
    Scenarios.linked = Counter()
    Scenarios.run(settings=wanted)
    reached = {name for name, status in Scenarios.linked if status < 400}
    assert Scenarios.linked.total() >= wanted.max_examples
    assert len(reached) >= 10, reached


def test_scenarios_are_answered_as_declared(db: None) -> None:
    run_scenarios(settings(SOME, stateful_step_count=8, phases=[Phase.generate]))


@pytest.mark.long
def test_many_scenarios_are_answered_as_declared(db: None) -> None:
    run_scenarios(
        settings(
            MANY, max_examples=250, stateful_step_count=20, phases=[Phase.generate]
        )
    )


def _operation_id(case: "OpenApiCase") -> str:
    return str(case.operation.definition.raw["operationId"])


def _credentials(case: "OpenApiCase", sample_data: SampleData) -> dict[str, str]:
    return sample_data.caller(_operation_id(case)).headers


def _ground(case: "OpenApiCase", sample_data: SampleData) -> None:
    """Let every other value name what there is: a random one hardly ever would."""
    for container in (case.path_parameters, case.query, case.body):
        if not isinstance(container, dict):
            continue
        for name, value in container.items():
            if len(str(value)) % 2 and _known(case, sample_data, name):
                container[name] = sample_data.example(_operation_id(case), name)


def _known(case: "OpenApiCase", sample_data: SampleData, name: str) -> bool:
    return bool(
        sample_data.examples.get(f"{_operation_id(case)}.{name}")
        or sample_data.examples.get(name)
    )
