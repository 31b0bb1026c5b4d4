"""GitHub's webhook into alerts: deployments and workflow runs that fail, and the next that succeeds.

GitHub sends events and knows no alert. What fires is an environment of a repository, or a workflow
on its default branch; the event that says success about the same thing ends it.
"""

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import StringConstraints

from bot.contract import Alert, RawRequest
from bot.contract.source import Loose, Text, alert, moment, parsed, require, signed
from bot.errors import BadInput

SOURCE = "github"
_DEPLOYED = {"failure": True, "error": True, "success": False}
_RAN = {"failure": True, "timed_out": True, "startup_failure": True, "success": False}


class GitHubSource:
    """GitHub's webhooks of a repository or an organisation."""

    def authenticate(self, request: RawRequest, secrets: Sequence[str]) -> None:
        """``X-Hub-Signature-256``: HMAC-SHA256 of the body. The older SHA-1 proves nothing here."""
        scheme, _, digest = request.headers.get("x-hub-signature-256", "").partition("=")
        hint = "Set the webhook's Secret to one of the live secrets."
        require(scheme == "sha256" and signed(request.body, digest, secrets), "GitHub", hint)

    def parse(self, request: RawRequest) -> list[Alert]:
        """One alert, or none where the event says nothing about a failure."""
        event = request.headers.get("x-github-event")
        if event is None:
            raise BadInput("The header X-GitHub-Event is missing.", field="X-GitHub-Event")
        if "x-www-form-urlencoded" in request.headers.get("content-type", ""):
            hint = "Set the webhook's content type to application/json."
            raise BadInput("The body is a form.", hint=hint, field="$")
        if event == "deployment_status":
            return _deployment(parsed(_Deployment, request.body))
        if event == "workflow_run":
            return _run(parsed(_Run, request.body))
        return []


# ── the payloads, as GitHub documents them ───────────────────────────────────────────────────


class _Repository(Loose):
    id: int
    name: Any = None
    full_name: Any = None
    html_url: Any = None


class _WithDefault(_Repository):
    default_branch: str


class _Status(Loose):
    state: str
    environment: Annotated[Text, StringConstraints(min_length=1)]
    created_at: str
    description: Any = None
    log_url: Any = None
    target_url: Any = None


class _Deployment(Loose):
    deployment_status: _Status
    repository: _Repository
    deployment: Any = None
    sender: Any = None


class _WorkflowRun(Loose):
    workflow_id: int
    updated_at: str
    event: Any = None
    conclusion: Any = None
    head_branch: Any = None
    head_sha: Any = None
    head_repository: Any = None
    head_commit: Any = None
    name: Any = None
    html_url: Any = None
    actor: Any = None


class _Run(Loose):
    action: str
    workflow_run: _WorkflowRun
    repository: _WithDefault
    workflow: Any = None


# ── deployments ──────────────────────────────────────────────────────────────────────────────


def _deployment(event: _Deployment) -> list[Alert]:
    status, repository = event.deployment_status, event.repository
    firing = _DEPLOYED.get(status.state)
    if firing is None:
        return []
    at = moment(status.created_at, "deployment_status.created_at")
    what = f"{_name(repository)}: deployment to {status.environment}"
    said = _text(status.description)
    labels = {
        "service": repository.name,
        "repository": repository.full_name,
        "environment": status.environment,
        "production": _of(event.deployment, "production_environment"),
        "transient": _of(event.deployment, "transient_environment"),
        "event": "deployment_status",
        "change": "deploy",  # of an incident's evidence, whether it failed or not
        "state": status.state,
        "ref": _of(event.deployment, "ref"),
        "sha": _of(event.deployment, "sha"),
        "actor": _of(event.sender, "login"),
    }
    page = f"{_text(repository.html_url)}/deployments/{quote(status.environment, safe='')}"
    return [
        alert(
            SOURCE,
            fingerprint=f"deployment:{repository.id}:{status.environment}",
            firing=firing,
            name=what,
            labels=labels,
            annotations={"summary": f"{what}: {status.state}", "description": said},
            starts_at=at,
            ends_at=at,
            link=_text(status.log_url) or _text(status.target_url) or page,
        )
    ]


# ── workflow runs ────────────────────────────────────────────────────────────────────────────


def _run(event: _Run) -> list[Alert]:
    run, repository = event.workflow_run, event.repository
    firing = _RAN.get(run.conclusion) if isinstance(run.conclusion, str) else None
    if event.action != "completed" or firing is None or not _on_default_branch(run, repository):
        return []
    at = moment(run.updated_at, "workflow_run.updated_at")
    workflow = (
        _text(run.name) or _text(_of(event.workflow, "name")) or f"workflow {run.workflow_id}"
    )
    what = f"{_name(repository)}: {workflow} on {repository.default_branch}"
    labels = {
        "service": repository.name,
        "repository": repository.full_name,
        "workflow": workflow,
        "branch": repository.default_branch,
        "event": "workflow_run",
        "conclusion": run.conclusion,
        "trigger": run.event,
        "sha": run.head_sha,
        "actor": _of(run.actor, "login"),
    }
    commit = _text(_of(run.head_commit, "message"))
    return [
        alert(
            SOURCE,
            fingerprint=f"workflow:{repository.id}:{run.workflow_id}:{repository.default_branch}",
            firing=firing,
            name=what,
            labels=labels,
            annotations={"summary": f"{what}: {run.conclusion}", "description": commit},
            starts_at=at,
            ends_at=at,
            link=_text(run.html_url),
        )
    ]


def _on_default_branch(run: _WorkflowRun, repository: _WithDefault) -> bool:
    """A pull request's branch may bear the same name: in a fork, or towards another branch."""
    of_a_pull_request = _text(run.event).startswith("pull_request")
    elsewhere = _of(run.head_repository, "id") not in (None, repository.id)
    return run.head_branch == repository.default_branch and not of_a_pull_request and not elsewhere


def _name(repository: _Repository) -> str:
    return _text(repository.full_name) or f"repository {repository.id}"


def _of(value: Any, key: str) -> Any:  # noqa: ANN401 - optional: it may be anything
    return value.get(key) if isinstance(value, dict) else None


def _text(value: Any) -> str:  # noqa: ANN401
    return value if isinstance(value, str) else ""
