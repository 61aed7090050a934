"""From a request to the service that answers it: the one there is, or that of the tenant whose key was sent."""

from __future__ import annotations

from collections.abc import Awaitable

from mutua.errors import MutuaError
from mutua.serving.http.exchange import SERVICE, TENANT, Application, Receive, Scope, Send, refuse
from mutua.serving.service import Service
from mutua.serving.tenants import Tenants


def hosted(host: Service | Tenants, inner: Application) -> Application:
    """Returns an application that hands each request on with its service; what is open to all may have none."""
    return _by_tenant(host, inner) if isinstance(host, Tenants) else _all_by_one(host, inner)


def _all_by_one(service: Service, inner: Application) -> Application:
    def one(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        scope[SERVICE] = service
        return inner(scope, receive, send)

    return one


def _by_tenant(tenants: Tenants, inner: Application) -> Application:
    async def several(scope: Scope, receive: Receive, send: Send) -> None:
        tenant = scope.get(TENANT)
        if tenant is None:
            await inner(scope, receive, send)
            return
        try:
            async with tenants.serving(tenant) as service:
                scope[SERVICE] = service
                await inner(scope, receive, send)
        except MutuaError as error:
            await refuse(scope, send, error)

    return several
