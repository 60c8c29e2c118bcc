"""What ``docker-compose.yml`` and the folder ``deploy`` say of each other, and of Jobmill."""

import json
import re
from urllib.parse import urlsplit

import pytest

from jobmill.entrypoints.serving import HEALTH_PORTS
from jobmill.entrypoints.settings import Settings

from tests.deploy.clone import API, DEPLOY, filled, loaded, services, whole_compose
from tests.examples.copied import CLONE

PROCESSES = ("api", "worker")
OF_JOBMILL = ("migrate", *PROCESSES)


def test_the_stack_is_whole() -> None:
    assert set(services()) == {
        *("rabbitmq", "postgres", "redis", "nginx", "prometheus", "grafana"),
        *OF_JOBMILL,
    }
    assert [int(filled(services()[name]["deploy"]["replicas"])) for name in ("api", "worker")] == [2, 2]


def test_only_this_machine_gets_in_and_by_these_doors() -> None:
    doors = {name: told["ports"] for name, told in services().items() if "ports" in told}

    assert doors == {
        "nginx": ["127.0.0.1:8080:8080"],
        "prometheus": ["127.0.0.1:9090:9090"],
        "grafana": ["127.0.0.1:3030:3000"],
        "rabbitmq": ["127.0.0.1:15672:15672"],
    }


@pytest.mark.parametrize("name", OF_JOBMILL)
def test_settings_are_such_as_jobmill_knows(name: str) -> None:
    told = services()[name]
    settings = Settings.from_env({key: filled(str(text)) for key, text in told["environment"].items()})

    assert _hosts(settings) <= set(services())
    assert settings.is_local == (name != "api")
    assert settings.is_metrics_local == (name != "worker")
    assert settings.open == (name in PROCESSES)
    assert settings.shutdown_grace_s < int(told["stop_grace_period"].removesuffix("s"))


def test_whoever_is_waited_for_has_something_to_say() -> None:
    for name, told in services().items():
        for other, condition in told.get("depends_on", {}).items():
            below = services()[other]
            # The image of Jobmill brings a check of its own.
            can_be_healthy = "healthcheck" in below or "build" in below
            assert condition["condition"] != "service_healthy" or can_be_healthy, (name, other)


def test_every_folder_and_file_that_a_container_is_given_is_there() -> None:
    volumes = set(whole_compose()["volumes"])
    given = [volume.split(":")[0] for told in services().values() for volume in told.get("volumes", [])]

    assert [each for each in given if each not in volumes and not (CLONE / each).exists()] == []
    used = {
        path.relative_to(CLONE).parts[:2] for path in DEPLOY.iterdir() if path.suffix in {".conf", ".yml"}
    }
    assert used <= {tuple(each.removeprefix("./").split("/")[:2]) for each in given}


def test_nginx_follows_the_processes_of_the_api() -> None:
    conf = (DEPLOY / "nginx.conf").read_text()
    host, port = API.split(":")

    assert host in services()
    assert int(port) == Settings.from_env({}).port
    assert re.findall(r"^\s*server (\S+) .*resolve;$", conf, re.MULTILINE) == [API]
    version = re.fullmatch(r"nginx:(\d+)\.(\d+)-alpine", services()["nginx"]["image"])
    assert version is not None
    assert (int(version[1]), int(version[2])) >= (1, 28), "nginx follows names from 1.27.3 on"


def test_prometheus_asks_services_and_grafana_asks_prometheus() -> None:
    jobs = loaded(DEPLOY / "prometheus.yml")["scrape_configs"]
    targets = [
        target for job in jobs for group in job.get("static_configs", ()) for target in group["targets"]
    ]
    found = {
        (name, names["port"])
        for job in jobs
        for names in job.get("dns_sd_configs", ())
        for name in names["names"]
    }
    [source] = loaded(DEPLOY / "grafana/provisioning/datasources/prometheus.yaml")["datasources"]

    assert {target.split(":")[0] for target in targets} <= {*services(), "localhost"}
    assert found == {("api", Settings.from_env({}).port), ("worker", HEALTH_PORTS[0])}
    assert urlsplit(source["url"]).netloc == "prometheus:9090"
    assert _sources_of(json.loads((DEPLOY / "grafana/dashboards/queues.json").read_text())) == {source["uid"]}


def test_alerts_ask_for_metrics_that_there_are() -> None:
    configured = loaded(DEPLOY / "prometheus.yml")
    given = dict(volume.split(":")[:2] for volume in services()["prometheus"]["volumes"])
    rules = [rule for group in loaded(DEPLOY / "alerts.yml")["groups"] for rule in group["rules"]]
    told = (CLONE / "docs/metrics.md").read_text()
    board = (DEPLOY / "grafana/dashboards/queues.json").read_text()

    assert [f"/etc/prometheus/{file}" for file in configured["rule_files"]] == [given["./deploy/alerts.yml"]]
    assert len({rule["alert"] for rule in rules}) == len(rules) > 5
    names = {name for rule in rules for name in re.findall(r"\b(?:jobmill|rabbitmq)_\w+", rule["expr"])}
    assert [name for name in names if f"| `{name}` |" not in told and name not in board] == []
    jobs = {job for rule in rules for job in re.findall(r'job="([^"]+)"', rule["expr"])}
    assert jobs <= {job["job_name"] for job in configured["scrape_configs"]}
    assert all(rule["annotations"]["summary"] for rule in rules)


def test_grafana_finds_what_it_is_provisioned_with() -> None:
    [provider] = loaded(DEPLOY / "grafana/provisioning/dashboards/jobmill.yaml")["providers"]
    given = dict(volume.split(":")[:2] for volume in services()["grafana"]["volumes"])
    home = services()["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]

    assert given["./deploy/grafana/dashboards"] == provider["options"]["path"] == home.rpartition("/")[0]
    assert (DEPLOY / "grafana/dashboards" / home.rpartition("/")[2]).is_file()


def _hosts(settings: Settings) -> set[str | None]:
    urls = [settings.database_url, *settings.broker_url, settings.redis_url or ""]
    return {urlsplit(url).hostname for url in urls}


def _sources_of(part: object) -> set[str]:
    """The ids of all data sources that a part of a dashboard names."""
    if isinstance(part, list):
        return {uid for each in part for uid in _sources_of(each)}
    if not isinstance(part, dict):
        return set()
    own = {part["datasource"]["uid"]} if "datasource" in part else set()
    return own | {uid for each in part.values() for uid in _sources_of(each)}
