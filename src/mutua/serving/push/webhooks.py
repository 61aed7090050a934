"""Webhooks: where triggers are posted to, when and how often. The posting itself is in `delivering`."""

from __future__ import annotations

import os
from typing import Annotated

import msgspec

from mutua.errors import ConfigError
from mutua.serving.push.posting import checked_url
from mutua.serving.push.quiet import Quiet
from mutua.serving.push.triggers import Kind

EVERY_KIND: tuple[Kind, ...] = ("back-in-stock", "price-fell", "cart-abandoned", "new-item")
LEAST_SECRET = 16
Count = Annotated[int, msgspec.Meta(ge=1)]
Positive = Annotated[float, msgspec.Meta(gt=0)]


class Webhook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where triggers are posted to.

    Args:
        name: how letters and figures call it; a new address under the same name takes over what is pending.
        url: http or https.
        secret: of the signature, 16 characters or more; or secret_env: the environment variable that holds it.
        kinds: of trigger that are wanted.
    """

    name: str
    url: str
    secret: str = ""
    secret_env: str = ""
    kinds: tuple[Kind, ...] = EVERY_KIND

    def __repr__(self) -> str:
        return f"Webhook({self.name!r})"

    def key(self) -> str:
        """Returns the secret.

        Raises:
            ConfigError: code `config.invalid`; there is none, or it is too short.
        """
        found = self.secret or os.environ.get(self.secret_env, "")
        if len(found) < LEAST_SECRET:
            came = f"webhook {self.name[:40]!r} with a secret of {len(found)} characters"
            raise ConfigError(came, f"{LEAST_SECRET} or more", "set `secret`, or the variable named by `secret_env`")
        return found


class WebhookSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How triggers are delivered.

    Args:
        hooks: addresses; none: triggers are not kept.
        quiet: hours in which deliveries are put off.
        cap: notices a user may get in one of his days; what is beyond is not delivered.
        attempts: tries before a delivery is a dead letter.
        first, longest: seconds before the second try, doubled with each further one up to the longest.
        timeout: seconds for one try.
        private: whether addresses of this machine and of private nets may be posted to.
    """

    hooks: tuple[Webhook, ...] = ()
    quiet: Quiet = Quiet()
    cap: Count = 5
    attempts: Count = 8
    first: Positive = 5.0
    longest: Positive = 3_600.0
    timeout: Positive = 5.0
    private: bool = False

    def checked(self) -> WebhookSettings:
        """Returns itself.

        Raises:
            ConfigError: code `config.invalid`; an address, a secret, a zone or hours that cannot be used, or a name
                given twice.
        """
        self.quiet.checked()
        names = [hook.name for hook in self.hooks]
        for hook in self.hooks:
            checked_url(hook.url)
            hook.key()
            if not hook.name or names.count(hook.name) > 1:
                raise ConfigError(f"webhook name {hook.name[:40]!r}", "a name of its own for each", "rename one")
        return self


def pause(attempts: int, settings: WebhookSettings, drawn: float) -> float:
    """Returns the seconds before the next try: doubled each time, at most the longest, the upper half at random.

    Args:
        attempts: made so far, 1 or more; drawn: 0 to 1.

    Example:
        >>> [pause(made, WebhookSettings(), 1.0) for made in (1, 2, 3, 20)]
        [5.0, 10.0, 20.0, 3600.0]
    """
    doubled = settings.first * 2.0 ** min(attempts - 1, 60)
    return min(doubled, settings.longest) * (0.5 + 0.5 * drawn)
