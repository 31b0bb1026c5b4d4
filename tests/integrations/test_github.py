"""GitHub: the documented signature, which events fire, and what a failure's identity is."""

import copy
import json
from typing import Any

import pytest

from bot.contract import Alert, RawRequest
from bot.errors import AuthFailed, BadInput
from integrations.github.source import GitHubSource
from tests.integrations.sources.github import FIRING, RESOLVED, signature

SOURCE = GitHubSource()
# GitHub's published example of a workflow_run, with most URLs taken out; it failed here.
RUN: dict[str, Any] = {
    "action": "completed",
    "organization": {"login": "octo-org", "id": 41548062},
    "repository": {
        "id": 300029405, "name": "octo-repo", "full_name": "octo-org/octo-repo",
        "html_url": "https://github.com/octo-org/octo-repo", "default_branch": "master",
    },
    "sender": {"login": "Codertocat", "id": 15669918},
    "workflow": {"id": 2823525, "name": "test", "path": ".github/workflows/test.yml"},
    "workflow_run": {
        "name": "", "conclusion": "failure", "created_at": "2020-10-05T16:33:24Z",
        "event": "repository_dispatch", "head_branch": "master",
        "head_commit": {"message": "build(test): check workflow run event payload"},
        "head_repository": {"id": 300029405, "full_name": "octo-org/octo-repo"},
        "head_sha": "3484a3fb816e0859fd6e1cea078d76385ff50625",
        "html_url": "https://github.com/octo-org/octo-repo/actions/runs/289782451",
        "id": 289782451, "pull_requests": [], "run_number": 163, "status": "completed",
        "updated_at": "2020-10-05T16:33:49Z", "workflow_id": 2823525,
    },
}  # fmt: skip


def parse(payload: Any, event: str = "workflow_run") -> list[Alert]:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return SOURCE.parse(RawRequest({"x-github-event": event}, body))


def run(**fields: Any) -> dict[str, Any]:
    tree = copy.deepcopy(RUN)
    tree["workflow_run"] |= fields
    return tree


def deployed(state: str = "failure", **fields: Any) -> dict[str, Any]:
    tree: dict[str, Any] = json.loads(FIRING)
    tree["deployment_status"] |= {"state": state} | fields
    return tree


def deployments(payload: Any) -> list[Alert]:
    return parse(payload, "deployment_status")


def test_the_signature_of_githubs_documentation() -> None:
    """Its secret, its body, its result."""
    digest = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    request = RawRequest({"x-hub-signature-256": f"sha256={digest}"}, b"Hello, World!")
    SOURCE.authenticate(request, ["It's a Secret to Everybody"])


@pytest.mark.parametrize(
    "headers",
    [{"x-hub-signature-256": "{}"}, {"x-hub-signature-256": "sha1={}"},
     {"x-hub-signature-256": "sha256="}, {"x-hub-signature": "sha256={}"},
     {"x-hub-signature-256": "sha256={},sha256=0"}, {"authorization": "Bearer ours"}],
)  # fmt: skip
def test_anything_else_proves_nothing(headers: dict[str, str]) -> None:
    digest = signature(FIRING, "ours").removeprefix("sha256=")
    filled = {name: value.format(digest) for name, value in headers.items()}
    with pytest.raises(AuthFailed):
        SOURCE.authenticate(RawRequest(filled, FIRING), ["ours"])


def test_the_documented_deployment() -> None:
    (alert,) = deployments(FIRING)
    assert alert.fingerprint == "deployment:186853002:production"
    assert alert.name == "Codertocat/Hello-World: deployment to production"
    assert alert.summary == "Codertocat/Hello-World: deployment to production: failure"
    assert alert.link == "https://github.com/Codertocat/Hello-World/deployments/production"
    assert (alert.labels["service"], alert.labels["ref"]) == ("Hello-World", "master")
    (over,) = deployments(RESOLVED)
    assert (over.status, over.name) == ("resolved", alert.name)


def test_each_failure_has_its_time_and_all_one_identity() -> None:
    """So a second failure joins the incident of the first, and one success ends both."""
    first = deployments(deployed(created_at="2019-05-15T15:00:00Z"))[0]
    second = deployments(deployed("error", created_at="2019-05-15T15:05:00Z"))[0]
    assert first.fingerprint == second.fingerprint
    assert first.starts_at < second.starts_at


def test_another_environment_is_another_alert() -> None:
    """Also where two differ in letters that a fingerprint does not hold."""
    names = ["production", "staging", "pr 7", "pr-7", "pr/7", "é" * 90, "è" * 90]
    prints = {deployments(deployed(environment=name))[0].fingerprint for name in names}
    assert len(prints) == len(names)


def test_what_the_deployment_was_made_with_is_a_label() -> None:
    tree = deployed(log_url="https://ci.example.com/7")
    tree["deployment"] |= {"transient_environment": True, "production_environment": False}
    (alert,) = deployments(tree)
    assert (alert.labels["transient"], alert.labels["production"]) == ("true", "false")
    assert alert.link == "https://ci.example.com/7"


@pytest.mark.parametrize("state", ["pending", "queued", "in_progress", "waiting", "inactive", ""])
def test_a_deployment_under_way_says_nothing(state: str) -> None:
    assert deployments(deployed(state)) == []


def test_the_documented_run() -> None:
    """It failed, and a later one of the same workflow succeeded."""
    (alert,) = parse(RUN)
    assert (alert.status, alert.name) == ("firing", "octo-org/octo-repo: test on master")
    assert alert.fingerprint == "workflow:300029405:2823525:master"
    assert alert.annotations["description"] == "build(test): check workflow run event payload"
    assert alert.link.endswith("/actions/runs/289782451")
    (over,) = parse(run(conclusion="success", id=289782999, updated_at="2020-10-05T17:00:00Z"))
    assert (over.status, over.fingerprint) == ("resolved", alert.fingerprint)


@pytest.mark.parametrize("conclusion", ["timed_out", "startup_failure"])
def test_a_run_fails_in_other_words_too(conclusion: str) -> None:
    assert parse(run(conclusion=conclusion))[0].status == "firing"


@pytest.mark.parametrize(
    "conclusion", ["cancelled", "skipped", "neutral", "action_required", "stale", None, [], {}]
)
def test_a_run_that_neither_failed_nor_succeeded_says_nothing(conclusion: Any) -> None:
    assert parse(run(conclusion=conclusion)) == []


@pytest.mark.parametrize(
    "fields",
    [{"head_branch": "feature"}, {"head_branch": None},
     {"event": "pull_request"}, {"event": "pull_request_target"},
     {"head_repository": {"id": 7, "full_name": "stranger/octo-repo"}}],
)  # fmt: skip
def test_only_the_default_branch_counts(fields: dict[str, Any]) -> None:
    """Or a stranger's fork whose branch is named like ours would fire, and end what fires."""
    for conclusion in ("failure", "success"):
        assert parse(run(conclusion=conclusion, **fields)) == []


def test_what_is_not_done_yet_says_nothing() -> None:
    assert parse(RUN | {"action": "requested"}) == []


@pytest.mark.parametrize("event", ["ping", "push", "check_run", "workflow_job", ""])
def test_other_events_say_nothing(event: str) -> None:
    assert parse({"zen": "Design for failure.", "hook_id": 1}, event) == []


def test_a_form_and_a_nameless_event_are_refused_in_clear_words() -> None:
    """A form is what GitHub offers first."""
    form = {"content-type": "application/x-www-form-urlencoded", "x-github-event": "ping"}
    with pytest.raises(BadInput, match="application/json"):
        SOURCE.parse(RawRequest(form, b"payload=%7B%7D"))
    with pytest.raises(BadInput) as caught:
        SOURCE.parse(RawRequest({}, FIRING))
    assert caught.value.field == "X-GitHub-Event"


@pytest.mark.parametrize(
    ("payload", "event", "field"),
    [({}, "workflow_run", "action"), (run(workflow_id="7"), "workflow_run", "workflow_run.workflow_id"),
     (run(updated_at="soon"), "workflow_run", "workflow_run.updated_at"),
     (RUN | {"repository": {"id": 1}}, "workflow_run", "repository.default_branch"),
     ({}, "deployment_status", "deployment_status"),
     (deployed(environment=""), "deployment_status", "deployment_status.environment"),
     (deployed(created_at="soon"), "deployment_status", "deployment_status.created_at")],
)  # fmt: skip
def test_a_bad_field_is_named_by_its_path(payload: Any, event: str, field: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(payload, event)
    assert caught.value.field == field


def test_what_is_optional_may_be_anything() -> None:
    odd = {key: [1] for key in ("name", "html_url", "head_sha", "head_commit", "actor", "event")}
    (alert,) = parse(run(**odd, head_repository=3) | {"workflow": None})
    assert alert.name == "octo-org/octo-repo: workflow 2823525 on master"
