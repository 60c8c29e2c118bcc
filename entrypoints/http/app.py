"""The HTTP application: which path leads where. Each path is there under the prefix and without it."""

from collections.abc import Awaitable, Callable, Iterator, Sequence

from litestar import Litestar, Response, route
from litestar.handlers import HTTPRouteHandler
from litestar.plugins import PluginProtocol

from jobmill.entrypoints.http.answers import ID, PREFIX, Answer, Written
from jobmill.entrypoints.http.batches import BatchRoutes
from jobmill.entrypoints.http.dead_letters import DeadLetterRoutes
from jobmill.entrypoints.http.docs import FILE, DocRoutes
from jobmill.entrypoints.http.guard import Guard
from jobmill.entrypoints.http.health import HealthRoutes
from jobmill.entrypoints.http.job_types import type_routes
from jobmill.entrypoints.http.jobs import JobRoutes
from jobmill.entrypoints.http.metrics import Measured, MetricsRoutes
from jobmill.entrypoints.http.openapi.document import openapi_document
from jobmill.entrypoints.http.problems import answer_refusal
from jobmill.entrypoints.http.providers import ProviderRoutes
from jobmill.entrypoints.http.request_body import BATCH_BYTES_MAX, BODY_BYTES_MAX
from jobmill.entrypoints.http.services import HttpServices
from jobmill.entrypoints.http.views import encode
from jobmill.entrypoints.http.way_in import WayIn
from jobmill.entrypoints.http.written import WrittenFor
from jobmill.entrypoints.metrics import Metrics

#: Of nothing, or of the request.
Handler = Callable[..., Awaitable[Answer | Written]]

_ID = f"{{{ID}:str}}"


class _Application(Litestar):
    """Litestar without the plugins that it adds by itself, for models of libraries that no route here has.

    Where pydantic is installed they take a tenth of a second to load.
    """

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        return plugins


def create_app(services: HttpServices) -> Litestar:
    """Return the application over services that are open as long as it serves; it opens nothing itself."""
    jobs = JobRoutes(services=services)
    app = _Application(
        route_handlers=_routes(services, jobs),
        exception_handlers={Exception: answer_refusal},
        request_max_body_size=BODY_BYTES_MAX,
        openapi_config=None,
        logging_config=None,
    )
    # Around everything, unlike litestar's own middleware, which a path that leads nowhere never meets.
    way_in = WayIn(
        app=app.asgi_handler,
        routes={
            prefix + path: route
            for path, route in (("/jobs", jobs.submit), ("/jobs/batch", jobs.submit_batch))
            for prefix in ("", PREFIX)
        },
    )
    guard = Guard(app=way_in, is_local=services.is_local, new_id=services.entropy.job_id)
    app.asgi_handler = Measured(app=guard, metrics=services.metrics)
    return app


def create_health_app(
    health: HealthRoutes, metrics: Metrics, *, is_local: bool, new_id: Callable[[], object]
) -> Litestar:
    """Return the application of a process that serves no jobs over HTTP: only how it is."""
    app = _Application(
        route_handlers=[
            *_path("/health/live", get=health.live),
            *_path("/health/ready", get=health.ready),
            *_path("/metrics", get=MetricsRoutes(metrics=metrics).page),
        ],
        exception_handlers={Exception: answer_refusal},
        request_max_body_size=BODY_BYTES_MAX,
        openapi_config=None,
        logging_config=None,
    )
    guard = Guard(app=app.asgi_handler, is_local=is_local, new_id=new_id)
    app.asgi_handler = Measured(app=guard, metrics=metrics)
    return app


def _routes(services: HttpServices, jobs: JobRoutes) -> Sequence[HTTPRouteHandler]:
    letters = DeadLetterRoutes(services=services)
    batches = BatchRoutes(services=services)
    health = HealthRoutes(readiness=services.readiness, version=services.version)
    types = type_routes(services.registry)
    providers = ProviderRoutes(states=services.providers, clock=services.clock)
    version = services.version
    description = WrittenFor(lambda registry: encode(openapi_document(registry, version=version)))
    description.text(services.registry)  # now, rather than while the first reader waits
    docs = DocRoutes(registry=services.registry, description=description)
    return [
        *_path("/jobs", get=jobs.page, post=jobs.submit),
        *_path("/jobs/batch", post=jobs.submit_batch, body_bytes_max=BATCH_BYTES_MAX),
        *_path("/batches", post=batches.submit, body_bytes_max=BATCH_BYTES_MAX),
        *_path(f"/batches/{_ID}", get=batches.report),
        *_path(f"/jobs/{_ID}", get=jobs.story),
        *_path(f"/jobs/{_ID}/cancel", post=jobs.cancel),
        *_path(f"/jobs/{_ID}/requeue", post=jobs.requeue),
        *_path(f"/jobs/{_ID}/discard", post=jobs.discard),
        *_path("/dead-letters", get=letters.page),
        *_path(f"/dead-letters/{_ID}", get=letters.letter),
        *_path(f"/dead-letters/{_ID}/requeue", post=letters.requeue),
        *_path(f"/dead-letters/{_ID}/discard", post=letters.discard),
        *_path("/types", get=types.page),
        *_path("/providers", get=providers.page),
        *_path("/health/live", get=health.live),
        *_path("/health/ready", get=health.ready),
        *_path("/metrics", get=MetricsRoutes(metrics=services.metrics).page),
        *_path("/openapi.json", get=docs.openapi),
        *_path("/docs", get=docs.page),
        *_path(f"/docs/{{{FILE}:str}}", get=docs.file),
        route("/", http_method=["GET", "HEAD"])(docs.start),
    ]


def _path(
    path: str,
    *,
    get: Handler | None = None,
    post: Handler | None = None,
    body_bytes_max: int = BODY_BYTES_MAX,
) -> Iterator[HTTPRouteHandler]:
    """Yield the handlers of one path; a ``get`` answers HEAD too, and OPTIONS tells all there are."""
    paths = [PREFIX + path, path]
    allowed = ["GET", "HEAD"] * (get is not None) + ["OPTIONS"] + ["POST"] * (post is not None)
    # First, or litestar makes one of its own, which knows only what is registered by then.
    yield route(paths, http_method="OPTIONS", status_code=204)(_options(", ".join(allowed)))
    if get is not None:
        yield route(paths, http_method=["GET", "HEAD"])(get)
    if post is not None:
        yield route(paths, http_method="POST", request_max_body_size=body_bytes_max)(post)


def _options(allowed: str) -> Callable[[], Awaitable[Response[None]]]:
    async def options() -> Response[None]:
        return Response(None, headers={"allow": allowed})

    return options
