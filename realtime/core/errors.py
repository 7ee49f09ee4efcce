"""Every error Anima raises on purpose.

AnimaError
├── RequestError            the peer's fault; carries `status`, `field`, `limit`
│   ├── InvalidField        422  a field has a value that cannot be used
│   ├── TooLarge            413  a body, text or message is over its limit
│   ├── NotFound            404  no such session, avatar, voice, primitive
│   ├── Conflict            409  it contradicts what is going on
│   ├── Malformed           400  it cannot be parsed at all
│   ├── UnsupportedType     415  wrong content type
│   ├── Unauthorised        401  no key or token, or a wrong one
│   ├── Forbidden           403  a valid key or token that does not allow this
│   ├── NotAcceptable       406  none of the content types asked for can be given
│   ├── PreconditionFailed  412  it names a version that is not the current one
│   ├── PreconditionRequired 428 it must name the version it means
│   ├── NotOffered          501  what this server is not set up to do
│   └── TooMany             429  a rate limit; carries `retry_after_s`
├── CapacityError           503  the machine cannot hold one more; carries `retry_after_s`
├── UpstreamError           502  a model endpoint or worker process failed
├── PackError               an avatar pack is missing, corrupt or foreign
├── WeightsError            a model's weights are missing, corrupt or foreign
└── ConfigError             a setting is wrong; names it and where it came from
"""

from typing import ClassVar


class AnimaError(Exception):
    """Root of all errors raised on purpose."""

    status: ClassVar[int] = 500


class RequestError(AnimaError):
    """A peer asked for something that cannot be done. `field` names the culprit, `limit` what is allowed."""

    status: ClassVar[int] = 400

    def __init__(self, message: str, *, field: str | None = None, limit: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.limit = limit


class Malformed(RequestError):
    """The input cannot be parsed."""


class InvalidField(RequestError):
    """A field has a value that cannot be used."""

    status = 422


class TooLarge(RequestError):
    """Over a size limit."""

    status = 413


class NotFound(RequestError):
    """The thing named does not exist."""

    status = 404


class Conflict(RequestError):
    """The request contradicts what is going on."""

    status = 409


class UnsupportedType(RequestError):
    """The content type is not one this route takes."""

    status = 415


class Unauthorised(RequestError):
    """No credentials, or wrong ones."""

    status = 401


class Forbidden(RequestError):
    """Known, but not allowed."""

    status = 403


class NotAcceptable(RequestError):
    """None of the content types asked for can be given."""

    status = 406


class PreconditionFailed(RequestError):
    """It names a version that is not the current one."""

    status = 412


class PreconditionRequired(RequestError):
    """It must name the version it means."""

    status = 428


class NotOffered(RequestError):
    """What this server is not set up to do."""

    status = 501


class TooMany(RequestError):
    """A rate limit was reached."""

    status = 429

    def __init__(self, message: str, *, retry_after_s: float, limit: str | None = None) -> None:
        super().__init__(message, limit=limit)
        self.retry_after_s = retry_after_s


class CapacityError(AnimaError):
    """One more session would break the budget of those that run."""

    status = 503

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after_s = retry_after_s


class UpstreamError(AnimaError):
    """A model endpoint or a worker process of ours failed."""

    status = 502


class PackError(AnimaError):
    """An avatar pack is missing, corrupt or foreign."""


class WeightsError(AnimaError):
    """A model's weights are missing, corrupt or foreign."""


class ConfigError(AnimaError):
    """A setting is wrong."""
