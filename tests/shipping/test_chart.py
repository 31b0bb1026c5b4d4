"""The Helm chart: linted and rendered by Helm's own library, checked against Kubernetes' schemas."""

import json
import re
import tomllib
from typing import Any

import helm_python as helm
import kubernetes_validate
import pytest
import yaml

from bot import settings
from tests.shipping.chart import CHART, REPO, VALUES, Rendered, render, values_of

pytestmark = pytest.mark.slow

CASES = sorted(path.stem for path in VALUES.glob("*.yaml"))
OLDEST, NEWEST = "1.27", kubernetes_validate.latest_version()
# The Prometheus operator's own kind: Kubernetes has no schema for it.
FOREIGN_KINDS = {"ServiceMonitor"}
SECRET_MARK = "not-to-be-seen"


@pytest.fixture(params=["", *CASES])
def rendered(request: pytest.FixtureRequest) -> Rendered:
    """The chart under each values file, and with none."""
    return render(values_of(request.param) if request.param else {})


# ── what Helm and Kubernetes say ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize("case", CASES)
def test_lint_finds_nothing(case: str) -> None:
    """`helm lint --strict` has no warning and no error under any values file."""
    report = helm.lint(CHART, values_of(case), strict=True)
    assert report["errors"] == []
    assert [m for m in report["messages"] if m["severity"] > 1] == []


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_manifest_is_valid_kubernetes(rendered: Rendered, version: str) -> None:
    """Strictly: an unknown field is an error, on the oldest and the newest Kubernetes."""
    for manifest in rendered.manifests:
        if manifest["kind"] not in FOREIGN_KINDS:
            kubernetes_validate.validate(manifest, version, strict=True)


def test_the_promised_oldest_kubernetes_is_the_one_tested() -> None:
    """Chart.yaml's kubeVersion and these tests agree."""
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["kubeVersion"] == f">={OLDEST}.0-0"


def test_chart_and_project_have_one_version() -> None:
    """appVersion picks the image's tag, so it must be the project's version."""
    project = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"] == project["version"]


# ── security ─────────────────────────────────────────────────────────────────────────────────


def test_every_pod_is_locked_down(rendered: Rendered) -> None:
    """Non-root, read-only root, no capabilities, default seccomp, no API token, no host access."""
    pods = [rendered.pod_spec] + [pod["spec"] for pod in rendered.all("Pod")]
    for pod in pods:
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert {"requests", "limits"} <= container["resources"].keys()


def test_only_data_and_tmp_are_writable(rendered: Rendered) -> None:
    """The read-only root has exactly two writable places."""
    mounts = rendered.container["volumeMounts"]
    assert [m["mountPath"] for m in mounts if not m.get("readOnly")] == ["/data", "/tmp"]


def test_service_links_are_off(rendered: Rendered) -> None:
    """A Service named jackline would else inject JACKLINE_PORT, an unknown setting."""
    assert rendered.pod_spec["enableServiceLinks"] is False


@pytest.mark.parametrize("case", ["sqlite", "postgresql", "ingress"])
def test_secrets_appear_in_secret_objects_only(case: str) -> None:
    """No secret value, plain or base64, is in any other manifest or in the notes."""
    rendered = render(values_of(case))
    secrets = rendered.secret_data()
    assert secrets
    assert all(SECRET_MARK in value for value in secrets.values())
    others = [m for m in rendered.manifests if m["kind"] != "Secret"]
    text = json.dumps(others) + rendered.notes
    encoded = {value for s in rendered.all("Secret") for value in s["data"].values()}
    assert [v for v in {SECRET_MARK, *secrets.values(), *encoded} if v in text] == []


def test_an_error_never_repeats_a_secret() -> None:
    """A mistyped token is refused without printing it: installs run in CI logs."""
    for path in (
        {"secrets": {"slack": {"botToken": SECRET_MARK}}},
        {"secrets": {"slack": {"botToken": f"xoxb-{SECRET_MARK}", "appToken": SECRET_MARK}}},
        {"secrets": {"auditKey": SECRET_MARK}},
        {"secrets": {"webhooks": {"alertmanager": [SECRET_MARK]}}},
        {"secrets": {"webhooks": {"alertmanager": SECRET_MARK}}},
        {"database": {"url": f"mysql://u:{SECRET_MARK}@db/x"}},
    ):
        with pytest.raises(helm.HelmError) as refused:
            render(path)
        assert SECRET_MARK not in str(refused.value)


def test_network_policy_lets_in_the_named_peers_and_the_test() -> None:
    """`helm test` keeps working behind the policy, and only the HTTP port is open."""
    policy = render(values_of("ingress")).one("NetworkPolicy")["spec"]
    (rule,) = policy["ingress"]
    assert rule["ports"] == [{"port": "http", "protocol": "TCP"}]
    assert len(rule["from"]) == 2
    assert policy["policyTypes"] == ["Ingress", "Egress"]


def test_mail_comes_in_at_a_port_of_its_own() -> None:
    """From the Service to the listener, through the policy, with the certificate mounted."""
    mail = {"mail": {"enabled": True, "port": 2500, "tlsSecret": "mail-tls"}}
    rendered = render(values_of("ingress") | mail)
    read = settings.load(rendered.environ())
    ports = {p["name"]: p["containerPort"] for p in rendered.container["ports"]}
    assert read.mail.listen == f"0.0.0.0:{ports['smtp']}"
    (mount,) = [m for m in rendered.container["volumeMounts"] if m["name"] == "mail-tls"]
    assert {read.mail.certificate, read.mail.key} == {
        f"{mount['mountPath']}/{file}" for file in ("tls.crt", "tls.key")
    }
    served = [p for s in rendered.all("Service") for p in s["spec"]["ports"] if p["port"] == 2500]
    assert [p["targetPort"] for p in served] == ["smtp"]
    (rule,) = rendered.one("NetworkPolicy")["spec"]["ingress"]
    assert {p["port"] for p in rule["ports"]} == {"http", "smtp"}


# ── what Jackline is told ────────────────────────────────────────────────────────────────────


def test_jackline_accepts_the_environment_it_is_given(rendered: Rendered) -> None:
    """Jackline's own settings reader takes it: no unknown name, no wrong value."""
    foreign = {
        "uri": "postgresql+asyncpg://u:p@db/x",
        "slack-bot-token": "xoxb-1",
        "slack-app-token": "xapp-1",
        "webhook-grafana-secrets": '["a"]',
    }
    read = settings.load(rendered.environ(foreign))
    assert read.http_listen == "0.0.0.0:8080"
    assert str(read.data_dir) == "/data"


def test_first_install_passes_every_setting_on() -> None:
    """What the values say is what Jackline reads, to the last secret."""
    read = settings.load(render(values_of("sqlite")).environ())
    assert read.store_url == "sqlite+aiosqlite:////data/jackline.db"
    assert str(read.runbooks_dir) == "/runbooks"
    keys = (read.slack.bot_token, read.slack.app_token, read.audit_key, read.console.session_key)
    assert [key.get_secret_value()[-1] for key in keys if key] == ["1", "2", "5", "6"]
    live = [s.get_secret_value() for s in read.webhooks["alertmanager"].secrets]
    assert live == ["not-to-be-seen-new-3", "not-to-be-seen-old-4"]


def test_http_mode_passes_every_setting_on() -> None:
    """The plain settings arrive as well."""
    read = settings.load(render(values_of("ingress")).environ())
    assert (read.slack.mode, read.log_level) == ("http", "debug")
    assert read.slack.digest_channel == "C0123456789"
    assert read.slack.digest_channels == {"T0123456789": "C0123456789"}
    assert read.slack.client_id == "1.2"
    assert read.slack.client_secret is not None
    assert read.slack.reactions == {"eyes": "timeline"}
    assert read.slack.api_url == "http://slack.test/api/"
    assert read.console.public_url == "https://jackline.example.com"


def test_the_chart_can_set_every_setting() -> None:
    """A new setting of Jackline's fails this test until the chart knows it."""
    known = {row[0].replace("<SOURCE>", "ALERTMANAGER") for row in settings.reference()}
    offered: set[str] = set()
    for case in CASES:
        offered |= render(values_of(case)).env.keys()
    assert known - offered == set()


def test_existing_secrets_are_referred_to_and_none_is_rendered() -> None:
    """With Secrets of the user's, the chart holds none; the database's key is not optional."""
    rendered = render(values_of("existing"))
    assert rendered.all("Secret") == []
    database = rendered.env["JACKLINE_DATABASE_URL"]["valueFrom"]["secretKeyRef"]
    assert database == {"name": "jackline-database", "key": "uri"}
    grafana = rendered.env["JACKLINE_WEBHOOKS__GRAFANA__SECRETS"]["valueFrom"]["secretKeyRef"]
    assert grafana == {"name": "jackline", "key": "webhook-grafana-secrets", "optional": True}


# ── replicas and data ────────────────────────────────────────────────────────────────────────


def test_sqlite_runs_once_on_a_kept_volume() -> None:
    """The default: one replica, one claim, no disruption budget that would block a drain."""
    rendered = render()
    spec = rendered.one("StatefulSet")["spec"]
    assert spec["replicas"] == 1
    assert spec["volumeClaimTemplates"][0]["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert rendered.all("PodDisruptionBudget") == []
    assert "topologySpreadConstraints" not in rendered.pod_spec


def test_postgresql_runs_several_spread_out() -> None:
    """Three replicas: a claim each for the spool, spread over nodes and zones, one away at most."""
    rendered = render(values_of("postgresql"))
    spec = rendered.one("StatefulSet")["spec"]
    assert spec["replicas"] == 3
    assert spec["podManagementPolicy"] == "Parallel"
    assert spec["volumeClaimTemplates"][0]["spec"]["storageClassName"] == "fast"
    spread = {c["topologyKey"] for c in rendered.pod_spec["topologySpreadConstraints"]}
    assert spread == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}
    assert rendered.one("PodDisruptionBudget")["spec"]["maxUnavailable"] == 1


def test_selectors_find_the_bot_and_not_the_test_pod(rendered: Rendered) -> None:
    """Service, budget and policy choose the bot's pods; the test pod gets no traffic."""
    labels = rendered.one("StatefulSet")["spec"]["template"]["metadata"]["labels"].items()
    wanted = [s["spec"]["selector"] for s in rendered.all("Service")]
    wanted += [b["spec"]["selector"]["matchLabels"] for b in rendered.all("PodDisruptionBudget")]
    wanted += [p["spec"]["podSelector"]["matchLabels"] for p in rendered.all("NetworkPolicy")]
    for selector in wanted:
        assert selector.items() <= labels
        for pod in rendered.all("Pod"):
            assert not selector.items() <= pod["metadata"]["labels"].items()


def test_probes_ask_the_right_questions(rendered: Rendered) -> None:
    """Liveness must not look at the database: /readyz there would restart a healthy bot."""
    paths = {
        probe: rendered.container[probe]["httpGet"]["path"]
        for probe in ("startupProbe", "livenessProbe", "readinessProbe")
    }
    assert paths == {
        "startupProbe": "/healthz",
        "livenessProbe": "/healthz",
        "readinessProbe": "/readyz",
    }


@pytest.mark.parametrize(
    ("change", "moved"),
    [
        ({"runbooks": {"files": {"shed-load.md": "# Other\n"}}}, "checksum/runbooks"),
        ({"secrets": {"auditKey": "b" * 32}}, "checksum/secret"),
    ],
)
def test_a_changed_secret_or_runbook_restarts_the_pods(change: dict[str, Any], moved: str) -> None:
    """The checksum of what changed moves, and no other."""

    def sums(values: dict[str, Any]) -> dict[str, str]:
        template = render(values).one("StatefulSet")["spec"]["template"]
        annotations: dict[str, str] = template["metadata"]["annotations"]
        return annotations

    before = {"secrets": {"auditKey": "a" * 32}, "runbooks": {"files": {"shed-load.md": "#\n"}}}
    first, second = sums(before), sums(before | change)
    assert {key for key in first if first[key] != second[key]} == {moved}


def test_runbooks_come_from_where_the_values_say() -> None:
    """Image, rendered ConfigMap (with sub-folders), existing ConfigMap, existing claim."""
    assert render().environ()["JACKLINE_RUNBOOKS_DIR"] == "/app/runbooks"

    own = render(values_of("sqlite"))
    (volume,) = [v for v in own.pod_spec["volumes"] if v["name"] == "runbooks"]
    data = own.one("ConfigMap")["data"]
    files = {item["path"]: data[item["key"]] for item in volume["configMap"]["items"]}
    assert files == values_of("sqlite")["runbooks"]["files"]

    synced = render(values_of("existing"))
    assert synced.environ({"uri": ""})["JACKLINE_RUNBOOKS_DIR"] == "/runbooks/current/runbooks"
    (volume,) = [v for v in synced.pod_spec["volumes"] if v["name"] == "runbooks"]
    assert volume["persistentVolumeClaim"] == {"claimName": "git-synced", "readOnly": True}


def test_runbook_text_is_carried_unchanged() -> None:
    """Template marks, quotes and non-ASCII letters in a runbook are data."""
    text = "---\nx: '{{ inputs.cluster }}'\n---\n# Über \"quotes\"\n\ttab\\n $HOME\n"
    rendered = render({"runbooks": {"files": {"a/b.md": text}}})
    assert rendered.one("ConfigMap")["data"] == {"a__b.md": text}


def test_ingress_opens_webhooks_and_no_more_unless_asked() -> None:
    """The default path is /webhooks; the console's paths are opted into."""
    first, second = render(values_of("ingress")).one("Ingress")["spec"]["rules"]
    assert [p["path"] for p in first["http"]["paths"]] == ["/webhooks"]
    assert [p["path"] for p in second["http"]["paths"]] == ["/webhooks", "/"]


def test_service_monitor_scrapes_the_bot_once() -> None:
    """It selects the Service and not its headless twin, which would double every figure."""
    rendered = render(values_of("ingress"))
    selector = rendered.one("ServiceMonitor")["spec"]["selector"]["matchLabels"].items()
    chosen = [s for s in rendered.all("Service") if selector <= s["metadata"]["labels"].items()]
    assert [s["metadata"]["name"] for s in chosen] == ["inc-jackline"]


def test_notes_warn_about_a_trial() -> None:
    """An install that keeps nothing says so, and one in order is quiet."""
    assert (
        "WARNING: persistence is off: every incident will be lost"
        in render(values_of("trial")).notes
    )
    assert not re.search("NOTE|WARNING", render(values_of("sqlite")).notes)
