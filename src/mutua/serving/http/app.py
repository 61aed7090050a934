"""The web application: hot routes in front, the others by FastAPI, described at `/docs` without outside assets."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from mutua import __version__
from mutua.errors import InvalidField, MutuaError, NotFound, WrongMethod
from mutua.serving.http import experiments, health, items, models, streams, users
from mutua.serving.http.door import Door
from mutua.serving.http.exchange import REFUSED, Application, Reply, refusal, refused, service_of
from mutua.serving.http.guard import Guard, Rules
from mutua.serving.http.hosting import hosted
from mutua.serving.http.hot import Hot
from mutua.serving.http.journal import Journal
from mutua.serving.http.schema import described
from mutua.serving.http.stating import stating
from mutua.serving.problems import INTERNAL
from mutua.serving.service import Service
from mutua.serving.tenants import Tenants
from mutua.serving.traffic import Traffic

LOG = logging.getLogger("mutua.server")


def application(
    host: Service | Tenants, rules: Rules, traffic: Traffic | None = None, journal: Journal | None = None
) -> Application:
    """Returns the application of one service, or of one for each tenant, behind its gate.

    Args:
        traffic: of the process; journal: of requests, by default none.
    """
    traffic = traffic or Traffic()
    app = FastAPIOffline(
        title="Mutua",
        version=__version__,
        description="Recommendations in which user profiles and the recommender are optimised together, live.",
        redoc_url=None,
    )
    app.state.readiness = host.readiness
    app.state.admits = rules.admits
    if isinstance(host, Service):
        host.traffic = traffic
    for room in (streams, users, items, models, experiments):
        app.include_router(room.router, dependencies=[Depends(current)])
    for noun in ("user", "item"):
        app.include_router(stating(noun), dependencies=[Depends(current)])
    app.include_router(health.router)
    _say_what_went_wrong(app)
    described(app)
    return Door(Guard(hosted(host, Hot(app)), rules), traffic, journal or Journal())


async def current(connection: HTTPConnection) -> None:
    """Lets a request in once the state holds all that was acknowledged, by whichever process."""
    await service_of(connection.scope).current()


def _say_what_went_wrong(app: FastAPI) -> None:
    async def coded(request: Request, error: Exception) -> Response:
        if isinstance(error, MutuaError):
            request.scope[REFUSED] = error.code
            return response(refusal(error))
        if isinstance(error, RequestValidationError):
            return response(refusal(_unreadable(error)))
        if isinstance(error, HTTPException) and error.status_code < 500:
            kind = WrongMethod if error.status_code == 405 else NotFound
            return response(refusal(kind(error.detail, "a path and method of /docs", "check both")), error.headers)
        LOG.error("a fault in a request", exc_info=error)
        return response(refused(INTERNAL))

    for kind in (MutuaError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, coded)


def response(given: Reply, more: Mapping[str, str] | None = None) -> Response:
    """Returns a raw answer as the framework's, with further headers."""
    headers = {name.decode(): value.decode() for name, value in given.headers}
    return Response(given.body, given.status, {**headers, **(more or {})})


def _unreadable(error: RequestValidationError) -> InvalidField:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return InvalidField(f"{where}: {first['msg']}", "the parameters of /docs", "correct the request")
