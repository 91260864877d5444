"""The error tree. Each error is one sentence with a hint, and knows its HTTP status.

BeerForYouError                 500
├── BadInput                    422  what was sent does not make sense: says what and where
│   ├── BadUsage                400  the call itself is malformed
│   ├── TooLarge                413  the body; then the address, and the headers
│   ├── UrlTooLong              414
│   ├── HeadTooLarge            431
│   └── Refused                 422  SQL that a model wrote: says why, in words for the model
├── TooSlow                     408  what was begun to be sent did not come in time
├── NotAuthenticated            401
├── NotAllowed                  403
├── NotFound                    404  also what belongs to somebody else
├── Conflict                    409  something else is under way, or was done with the same key
├── TooMany                     429  not now: `retry_after_s` says when
├── SetupError                  500  this installation is not usable as it is configured
├── CommandRefused              500  Valkey answered one command with an error; its neighbours have answers of their own
├── Unavailable                 503  a server we depend on does not answer
│   └── Busy                    503  it would, but too many of us wait for it: `retry_after_s` says when to come again
└── ModelError                  502  a language model refused, failed or answered garbage
    ├── ModelRefused            502  it will not take this request; others it takes
    ├── ModelSenseless          502  its reply holds nothing that can be used
    ├── ModelUnavailable        503  worth another try, here or elsewhere
    └── ModelTimeout            504
"""


class BeerForYouError(Exception):
    """`message` says what happened and where; `hint` says what to do about it."""

    status = 500
    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def kind(self) -> str:
        """The error's name in a problem document: `not-found`, `bad-input`."""
        name = type(self).__name__
        return "".join("-" + c.lower() if c.isupper() else c for c in name).lstrip("-")


class BadInput(BeerForYouError):
    status = 422


class BadUsage(BadInput):
    status = 400
    exit_code = 2


class TooLarge(BadInput):
    status = 413


class UrlTooLong(BadInput):
    status = 414


class HeadTooLarge(BadInput):
    status = 431


class Refused(BadInput):
    pass


class TooSlow(BeerForYouError):
    status = 408


class NotAuthenticated(BeerForYouError):
    status = 401


class NotAllowed(BeerForYouError):
    status = 403


class NotFound(BeerForYouError):
    status = 404


class Conflict(BeerForYouError):
    status = 409


class TooMany(BeerForYouError):
    status = 429
    retry_after_s = 1.0


class SetupError(BeerForYouError):
    pass


class CommandRefused(BeerForYouError):
    pass


class Unavailable(BeerForYouError):
    status = 503


class Busy(Unavailable):
    retry_after_s = 5.0


class ModelError(BeerForYouError):
    status = 502


class ModelRefused(ModelError):
    pass


class ModelSenseless(ModelError):
    pass


class ModelUnavailable(ModelError):
    status = 503
    retry_after_s: float | None = None  # how long the provider asks to wait, if it says


class ModelTimeout(ModelError):
    status = 504
