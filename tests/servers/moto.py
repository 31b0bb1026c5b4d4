"""moto's server: the AWS APIs, with an account whose keys can really be checked.

Everything is in one region: an ECS service `checkout` whose task definition has three revisions, a
database cluster `orders` of three members, weighted records of `www.shop.test`, and a load balancer
with a listener and a rule over the groups `checkout-blue`, `checkout-green` and `checkout-empty`.
"""

import contextlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import httpx

from tests.servers.ask import answers
from tests.servers.process import HOST, Process, free_port, running, scratch, spawn

REGION = "eu-west-1"
SERVICES = ("ecs", "rds", "route53", "elb")


@dataclass
class Moto:
    port: int
    process: Process
    key: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        """Of each target `aws/main.…`."""
        return {"region": REGION, **self.key}

    def targets(self) -> dict[str, dict[str, Any]]:
        entry = {"url": self.url, "settings": self.settings}
        return {f"aws/main.{service}": dict(entry) for service in SERVICES}

    def client(self, service: str) -> Any:
        """boto3's, as an administrator would use it."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=self.key.get("access_key_id", "setup"),
            aws_secret_access_key=self.key.get("secret_access_key", "setup"),
        )

    @contextlib.contextmanager
    def checked(self) -> Iterator[None]:
        """Each call is checked: who signed it, whether rightly, and what they may do.

        Not for Route 53: moto finds fault with the signature of boto3's own calls there.
        """
        self._check_after("0")
        try:
            yield
        finally:
            self._check_after("inf")

    def _check_after(self, calls: str) -> None:
        answer = httpx.post(
            f"{self.url}/moto-api/reset-auth",
            content=calls.encode(),
            headers={"Content-Type": "text/plain"},
        )
        answer.raise_for_status()

    def revision(self) -> int:
        """What the ECS service runs."""
        found = self.client("ecs").describe_services(cluster="shop", services=["checkout"])
        return int(found["services"][0]["taskDefinition"].rpartition(":")[2])

    def writer(self) -> str:
        found = self.client("rds").describe_db_clusters(DBClusterIdentifier="orders")
        members = found["DBClusters"][0]["DBClusterMembers"]
        return next(m["DBInstanceIdentifier"] for m in members if m["IsClusterWriter"])

    def records(self) -> dict[str, Any]:
        """Set identifier → the weighted record."""
        found = self.client("route53").list_resource_record_sets(HostedZoneId=self.ids["zone"])
        return {r["SetIdentifier"]: r for r in found["ResourceRecordSets"] if "Weight" in r}

    def shares(self, of: str = "listener") -> dict[str, int]:
        """Target group → weight, of the listener or of its rule."""
        client = self.client("elbv2")
        if of == "rule":
            actions = client.describe_rules(RuleArns=[self.ids["rule"]])["Rules"][0]["Actions"]
        else:
            found = client.describe_listeners(ListenerArns=[self.ids["listener"]])
            actions = found["Listeners"][0]["DefaultActions"]
        groups = actions[-1]["ForwardConfig"]["TargetGroups"]
        return {g["TargetGroupArn"].split("/")[1]: g["Weight"] for g in groups}


@contextlib.contextmanager
def moto() -> Iterator[Moto]:
    with scratch("moto") as folder:
        port = free_port()
        process = spawn(
            "moto",
            [sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(port)],
            folder=folder,
            env={"MOTO_ECS_SERVICE_RUNNING": "2"},
            ready=lambda: answers(f"http://{HOST}:{port}/moto-api/"),
        )
        with running(process):
            server = Moto(port, process)
            _fill(server)
            yield server


def _fill(server: Moto) -> None:
    _service(server)
    _database(server)
    _zone(server)
    _balancer(server)
    _users(server)


def _service(server: Moto) -> None:
    client = server.client("ecs")
    client.create_cluster(clusterName="shop")
    for number in (1, 2, 3):
        container = {"name": "app", "image": f"checkout:{number}", "memory": 128}
        client.register_task_definition(family="checkout", containerDefinitions=[container])
    client.register_task_definition(family="checkout-worker", containerDefinitions=[container])
    client.create_service(
        cluster="shop", serviceName="checkout", taskDefinition="checkout:3", desiredCount=2
    )


def _database(server: Moto) -> None:
    client = server.client("rds")
    client.create_db_cluster(
        DBClusterIdentifier="orders", Engine="aurora-postgresql",
        MasterUsername="admin1", MasterUserPassword="not-used-by-anybody",
    )  # fmt: skip
    for name in ("orders-1", "orders-2", "orders-3"):
        client.create_db_instance(
            DBInstanceIdentifier=name, DBClusterIdentifier="orders", Engine="aurora-postgresql",
            DBInstanceClass="db.r6g.large",
        )  # fmt: skip


def _zone(server: Moto) -> None:
    client = server.client("route53")
    made = client.create_hosted_zone(Name="shop.test", CallerReference="1")
    server.ids["zone"] = made["HostedZone"]["Id"].rpartition("/")[2]
    records = [
        {"Name": "www.shop.test", "Type": "A", "SetIdentifier": name, "Weight": weight, "TTL": 60,
         "ResourceRecords": [{"Value": address}]}
        for name, weight, address in (("blue", 90, "192.0.2.10"), ("green", 10, "192.0.2.20"))
    ]  # fmt: skip
    plain = {"Name": "api.shop.test", "Type": "A", "TTL": 60,
             "ResourceRecords": [{"Value": "192.0.2.30"}]}  # fmt: skip
    client.change_resource_record_sets(
        HostedZoneId=server.ids["zone"],
        ChangeBatch={
            "Changes": [{"Action": "CREATE", "ResourceRecordSet": r} for r in [*records, plain]]
        },
    )


def _balancer(server: Moto) -> None:
    network, client = server.client("ec2"), server.client("elbv2")
    vpc = network.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    nets = [
        network.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{i}.0/24", AvailabilityZone=REGION + zone)
        for i, zone in enumerate("ab")
    ]
    made = client.create_load_balancer(Name="shop", Subnets=[n["Subnet"]["SubnetId"] for n in nets])
    groups = {}
    for i, name in enumerate(("checkout-blue", "checkout-green", "checkout-empty"), start=1):
        group = client.create_target_group(
            Name=name, Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip"
        )
        groups[name] = group["TargetGroups"][0]["TargetGroupArn"]
        if name != "checkout-empty":
            client.register_targets(
                TargetGroupArn=groups[name], Targets=[{"Id": f"10.0.0.{i}", "Port": 80}]
            )
    shared = {"TargetGroups": _shares(groups, blue=0, green=100)}
    actions = [{"Type": "forward", "ForwardConfig": shared}]
    listener = client.create_listener(
        LoadBalancerArn=made["LoadBalancers"][0]["LoadBalancerArn"], Protocol="HTTP", Port=80,
        DefaultActions=actions,
    )  # fmt: skip
    server.ids["listener"] = listener["Listeners"][0]["ListenerArn"]
    sticky = {"Enabled": True, "DurationSeconds": 600}
    shared = {
        "TargetGroups": _shares(groups, blue=1, green=1, empty=0),
        "TargetGroupStickinessConfig": sticky,
    }
    rules = {"path": [{"Type": "forward", "ForwardConfig": shared}],
             "closed": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}]}  # fmt: skip
    for number, (name, doing) in enumerate(rules.items(), start=1):
        rule = client.create_rule(
            ListenerArn=server.ids["listener"], Priority=number, Actions=doing,
            Conditions=[{"Field": "path-pattern", "Values": [f"/{name}/*"]}],
        )  # fmt: skip
        server.ids["rule" if name == "path" else name] = rule["Rules"][0]["RuleArn"]


def _shares(groups: dict[str, str], **weights: int) -> list[dict[str, Any]]:
    return [
        {"TargetGroupArn": groups[f"checkout-{name}"], "Weight": weight}
        for name, weight in weights.items()
    ]


def _users(server: Moto) -> None:
    client = server.client("iam")
    reader = {"Action": ["ecs:Describe*", "ecs:List*"], "Effect": "Allow", "Resource": "*"}
    for name, allowed in (
        ("reader", reader),
        ("jackline", {"Action": "*", "Effect": "Allow", "Resource": "*"}),
    ):
        client.create_user(UserName=name)
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        client.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=policy)
        key = client.create_access_key(UserName=name)["AccessKey"]
        server.ids[f"{name}_id"], server.ids[f"{name}_key"] = (
            key["AccessKeyId"],
            key["SecretAccessKey"],
        )
    server.key = {
        "access_key_id": server.ids["jackline_id"],
        "secret_access_key": server.ids["jackline_key"],
    }
