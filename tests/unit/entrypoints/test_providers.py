"""The providers that the settings name: their order, their names, doubts, and what is refused."""

import json
from pathlib import Path
from typing import Any, cast

import pytest

from jobmill.application.errors import WrongAddress
from jobmill.application.handlers import Registry
from jobmill.application.open_guard import OpenGuard
from jobmill.application.ports.providers import TextMessage
from jobmill.application.provider_limits import OnOpen, ProviderLimits
from jobmill.application.shipped.provider_chain import OnDoubt, ProviderChain
from jobmill.domain.token_bucket import RateLimit
from jobmill.entrypoints.container import open_registry
from jobmill.entrypoints.container.chains import Offer, open_chain
from jobmill.entrypoints.settings import Settings

from tests.unit.application.shipped.attempts import an_attempt
from tests.unit.application.shipped.providers import Doorkeeper, Recorder

NUMBER, SECRET = "+15550100123", "swordfish"
TWILIO = f"twilio://AC1:{SECRET}@api.twilio.com?from=+15550100999"


def settings(folder: Path, **wishes: str) -> Settings:
    return Settings.from_env({"JOBMILL_HOME": str(folder), **{f"JOBMILL_{k}": v for k, v in wishes.items()}})


async def run(registry: Registry, kind: str, **payload: object) -> dict[str, str]:
    declared = registry.named(kind)
    decoded = declared.decode(json.dumps(payload), version=1)
    return cast("dict[str, str]", await declared.call(decoded, an_attempt(type=kind)))


async def chain(*urls: str, harmless: bool = False) -> ProviderChain[TextMessage]:
    async def carrier_for(url: str) -> Offer[TextMessage]:
        return Offer(name=url.partition(":")[0], carrier=Recorder())

    return await open_chain("sms", urls, carrier_for, guard=OpenGuard(), doubles_are_harmless=harmless)


async def test_without_settings_mails_become_files_and_the_rest_is_simulated(tmp_path: Path) -> None:
    async with open_registry(settings(tmp_path)) as registry:
        mail = await run(registry, "email", to="ada@example.com")
        text = await run(registry, "sms", to=NUMBER, body="Hello")
        call = await run(registry, "call", call_id="c-7", phone_number=NUMBER)
        push = await run(registry, "push", recipient="token", title="Hi")

    assert list(mail) == ["outbox"]
    assert text["provider"] == "sms:simulate"
    assert (call["provider"], call["call_id"]) == ("call:simulate", "c-7")
    assert push["provider"] == "push:simulate"
    assert text["id"].startswith("simulated-")


async def test_the_second_provider_takes_what_the_first_could_not(tmp_path: Path) -> None:
    down = "smtp://127.0.0.1:1,simulate://?latency_s=0"
    broken = "simulate://?latency_s=0&failure_rate=1,simulate://?latency_s=0"

    async with open_registry(settings(tmp_path, SMTP_URL=down, SMS_URL=broken)) as registry:
        mail = await run(registry, "email", to="ada@example.com")
        text = await run(registry, "sms", to=NUMBER, body="Hello")

    assert mail["id"].startswith("simulated-")
    assert text["provider"] == "sms:simulate-2"


async def test_providers_of_one_kind_have_names_that_tell_them_apart_and_stay() -> None:
    names = [each.name for each in (await chain("a:1", "b:1", "a:2")).choices]

    assert names == ["sms:a", "sms:b", "sms:a-2"]


async def test_a_shut_provider_is_passed_over_while_there_is_another_and_waited_for_if_not() -> None:
    first, last = (await chain("a://", "b://")).choices

    assert (first.on_open, last.on_open) == (OnOpen.FAILOVER, OnOpen.WAIT)


@pytest.mark.parametrize(
    ("urls", "harmless", "on_doubt"),
    [
        (["a://"], False, OnDoubt.RETRY),
        (["a://", "b://"], False, OnDoubt.FAIL),
        (["a://"], True, OnDoubt.FAILOVER),
        (["a://", "b://"], True, OnDoubt.FAILOVER),
    ],
)
async def test_what_may_have_been_taken_never_meets_a_second_provider_unless_doubles_are_harmless(
    urls: list[str], harmless: bool, on_doubt: OnDoubt
) -> None:
    choices = (await chain(*urls, harmless=harmless)).choices

    assert {each.on_doubt for each in choices} == {on_doubt}


async def test_an_address_may_say_otherwise_and_its_carrier_does_not_see_it() -> None:
    seen: list[str] = []

    async def carrier_for(url: str) -> Offer[Any]:
        seen.append(url)
        return Offer(name="a", carrier=Recorder())

    opened = await open_chain(
        "sms",
        ["a://h?x=1&on_open=fail&on_doubt=retry", "a://h?on_doubt=failover"],
        carrier_for,
        guard=OpenGuard(),
        doubles_are_harmless=False,
    )

    first, second = opened.choices
    assert (first.on_open, first.on_doubt, second.on_doubt) == (OnOpen.FAIL, OnDoubt.RETRY, OnDoubt.FAILOVER)
    assert seen == ["a://h?x=1", "a://h"]


async def test_the_limits_in_an_address_are_declared_to_the_guard_under_the_providers_name() -> None:
    guard = Doorkeeper()

    async def carrier_for(url: str) -> Offer[Any]:
        return Offer(name=url, carrier=Recorder())

    urls = ["a://?rate=10/s&burst=100&concurrency=7&retry_share=0.1", "b://"]
    await open_chain("sms", urls, carrier_for, guard=guard, doubles_are_harmless=True)

    limited = ProviderLimits(
        rate=RateLimit(per_s=10, burst=100), concurrency=7, retry_share=0.1, on_open=OnOpen.FAILOVER
    )
    assert guard.limits == {"sms:a://": limited, "sms:b://": ProviderLimits(on_open=OnOpen.WAIT)}


@pytest.mark.parametrize(
    ("name", "url", "because"),
    [
        ("SMS_URL", f"twilio://AC1:{SECRET}@api.twilio.com", "has to say from="),
        ("SMS_URL", f"{TWILIO}&colour={SECRET}", "unknown options colour"),
        ("SMS_URL", f"{TWILIO}&on_open={SECRET}", "on_open= must be one of wait, failover, fail"),
        ("SMS_URL", f"{TWILIO}&rate={SECRET}", "rate= must be a number per time"),
        ("CALL_URL", f"{TWILIO}&on_doubt={SECRET}", "on_doubt= must be one of retry, failover, fail"),
        ("CALL_URL", f"twilio://AC1:{SECRET}@api.twilio.com?from=MG{'c' * 32}", "from= in the twilio"),
        ("PUSH_URL", f"fcm:///missing/{SECRET[:5]}.json", "cannot be read: No such file"),
        ("PUSH_URL", f"webpush://?private_key={SECRET}&subject=mailto:a@b.example", "VAPID private key"),
        ("SMTP_URL", f"simulate://,smtp://app:{SECRET}@mail?from=nobody", "from= in the mail server's"),
        ("TEMPLATES", "/missing/templates", "there is no folder"),
    ],
)
async def test_an_address_that_cannot_be_used_names_its_setting_and_no_secret(
    name: str, url: str, because: str, tmp_path: Path
) -> None:
    with pytest.raises(WrongAddress, match=f"^JOBMILL_{name}: .*{because}") as refusal:
        async with open_registry(settings(tmp_path, **{name: url})):
            pass

    assert SECRET not in str(refusal.value)
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


def test_addresses_are_not_printed(tmp_path: Path) -> None:
    secrets = {
        "SMS_URL": TWILIO,
        "CALL_URL": TWILIO,
        "PUSH_URL": f"webpush://?private_key={SECRET}&subject=mailto:a@b.example",
        "SMTP_URL": f"smtp://app:{SECRET}@mail",
        "WEBHOOK_SECRETS": "shop=whsec_" + "swordfish3" * 4,
    }

    assert SECRET not in repr(settings(tmp_path, **secrets))
