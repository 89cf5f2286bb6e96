"""Who may send what: signing secrets, authorization headers and tenants' API keys.

They lie in one YAML file outside the repository (`TALLYHOUSE_SERVING_FILE`, mode 0600). Belongs
here: reading it and telling whether a caller proved itself. Does not belong here: HTTP.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import stripe
import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
)

from tallyhouse.closed_files import make_closed_folder, replace_closed
from tallyhouse.errors import TallyhouseError
from tallyhouse.settings import Settings

VARIABLE = "TALLYHOUSE_SERVING_FILE"


# an empty one would let everybody in
Secret = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Secrets = Annotated[tuple[Secret, ...], Field(min_length=1)]


class ApiKey(BaseModel):
    """A tenant's key: only its SHA-256 is stored."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    product: str = Field(min_length=1)
    tenant: str = Field(min_length=1)

    @field_validator("sha256")
    @classmethod
    def _is_of_a_key(cls, value: str) -> str:
        if value == hashlib.sha256(b"").hexdigest():
            raise ValueError("this is the hash of an empty key, which every caller has")
        return value


class Credentials(BaseModel):
    """All credentials. Several secrets per sender, so that one can be rotated; none may be empty."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    stripe: Mapping[str, Secrets] = {}
    revenuecat: Mapping[str, Secrets] = {}
    keys: tuple[ApiKey, ...] = ()

    def is_stripe_signed(self, account: str, body: bytes, header: str, tolerance: int) -> bool:
        """Whether one of the account's secrets signed this body in the last `tolerance` seconds."""
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            return False
        if not header.isascii():  # no signature is, and comparing digests takes nothing else
            return False
        for secret in self.stripe.get(account, ()):
            try:
                stripe.WebhookSignature.verify_header(text, header, secret, tolerance)
            except stripe.SignatureVerificationError:
                continue
            return True
        return False

    def is_revenuecat_authorized(self, project: str, header: str) -> bool:
        """Whether the authorization header is one of the project's, compared in constant time."""
        given = header.encode()
        matches = [hmac.compare_digest(given, s.encode()) for s in self.revenuecat.get(project, ())]
        return any(matches)

    def key_of(self, presented: str) -> ApiKey | None:
        """The tenant's key that was presented, if it is one."""
        digest = hashlib.sha256(presented.encode()).hexdigest()
        matches = [key for key in self.keys if hmac.compare_digest(key.sha256, digest)]
        return matches[0] if matches else None


def credentials_file(settings: Settings, environ: Mapping[str, str] = os.environ) -> Path:
    """Where the credentials lie: the variable, else `serving.yml` in the home."""
    return Path(environ.get(VARIABLE) or settings.home / "serving.yml")


def read_credentials(path: Path) -> Credentials:
    """Read the file; one that others may read, or that cannot be understood, is refused."""
    way_out = f"See docs/receiver.md for its form, or name another file with {VARIABLE}."
    try:
        if path.stat().st_mode & 0o077:
            raise TallyhouseError(
                f"{path} holds secrets and can be read by others. Run: chmod 600 {path}"
            )
        body: Any = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return Credentials.model_validate(body)
    except FileNotFoundError as error:
        raise TallyhouseError(
            f"The receiver's credentials {path} do not exist. {way_out}"
        ) from error
    except ValidationError as error:
        # the place and what is wrong with it: the value may be a secret
        reason = "; ".join(
            f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()
        )
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = f"it is not YAML{f' (line {mark.line + 1})' if mark else ''}"
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text in UTF-8"
    raise TallyhouseError(f"The receiver's credentials {path} cannot be used: {reason}. {way_out}")


def add_key(path: Path, product: str, tenant: str) -> str:
    """Make a new API key for a tenant, store its hash, and return the key: it is shown once."""
    existing = read_credentials(path) if path.exists() else Credentials()
    key = f"th_{secrets.token_urlsafe(32)}"
    entry = ApiKey(sha256=hashlib.sha256(key.encode()).hexdigest(), product=product, tenant=tenant)
    changed = existing.model_copy(update={"keys": (*existing.keys, entry)})
    text = yaml.safe_dump(changed.model_dump(mode="json"), sort_keys=False)
    make_closed_folder(path.parent)
    replace_closed(path, text)
    return key
