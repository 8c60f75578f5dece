"""What counts as an e-mail address here: its syntax, in one normal form. Nothing is looked up and nothing is sent."""

from typing import Final

from email_validator import EmailNotValidError, validate_email

from kyma.core.errors import InvalidRequest

_LONGEST: Final = 320
_PRIVATE: Final = (".local", ".localhost", ".test", ".home.arpa")
_STAND_IN: Final = ".example"


def normal_email(text: str) -> str:
    """The address in lower case and normal form, by which an account is found.

    Names for private use (`me@nas.local`) are welcome, since a gateway may live on a LAN.
    Raises: InvalidRequest (`invalid_email`).
    """
    stripped = text.strip()
    if len(stripped) > _LONGEST:
        raise _refused("It is too long.")
    # The library refuses private names whatever it is told, so they are checked as part of a public one.
    is_private = f".{stripped.rpartition('@')[2].lower()}".endswith(_PRIVATE)
    suffix = _STAND_IN if is_private else ""
    try:
        address = validate_email(stripped + suffix, check_deliverability=False)
    except EmailNotValidError as error:
        raise _refused(str(error)) from None
    return address.normalized.removesuffix(suffix).lower()


def _refused(reason: str) -> InvalidRequest:
    return InvalidRequest(f"That e-mail address is not valid. {reason}", code="invalid_email", param="email")
