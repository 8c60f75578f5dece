"""Signatures of AWS: its own published examples, and requests to Bedrock as Amazon's SDK signs them."""

import pytest

from kyma.core.credential import Credential
from kyma.core.upstream import Origin
from kyma.providers.aws_sigv4 import AwsKey, Signer, aws_key, region_of, time_stamp

EXAMPLE_KEY = AwsKey("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
EXAMPLE = Origin("example.amazonaws.com", 443, True)
PUBLISHED_AT = 1_440_938_160_000
HERE_AT = 1_795_295_885_000
JSON = (b"content-type", b"application/json")
Headers = tuple[tuple[bytes, bytes], ...]


class At:
    """A clock that stands."""

    def __init__(self, now_ms: int) -> None:
        self.now = now_ms

    def now_ms(self) -> int:
        return self.now

    def monotonic(self) -> float:
        return 0.0


def authorization(
    signer: Signer, method: str, origin: Origin, path: str, headers: Headers = (), body: bytes = b""
) -> str:
    return dict(signer.sign(method, origin, path, headers, body))[b"authorization"].decode()


BARE = "host;x-amz-date"
QUOTED = ((b"My-Header1", b" value1"), (b"My-Header2", b' "a   b   c"'))
FORM = ((b"Content-Type", b"application/x-www-form-urlencoded"),)
PUBLISHED: list[tuple[str, str, Headers, bytes, str, str]] = [
    ("GET", "/", (), b"", BARE, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    ("POST", "/", (), b"", BARE, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    ("GET", "/\u1234", (), b"", BARE, "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
    ("GET", "/example space/", (), b"", BARE, "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"),
    (
        *("GET", "/", QUOTED, b"", "host;my-header1;my-header2;x-amz-date"),
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    ),
    (
        *("POST", "/", FORM, b"Param1=value1", "content-type;host;x-amz-date"),
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    ),
]
"""Source: AWS's Signature Version 4 test suite, github.com/awslabs/aws-c-auth, v0.3.15."""


@pytest.mark.parametrize(("method", "path", "headers", "body", "signed", "signature"), PUBLISHED)
def test_amazons_examples(method: str, path: str, headers: Headers, body: bytes, signed: str, signature: str) -> None:
    signer = Signer(EXAMPLE_KEY, At(PUBLISHED_AT), "us-east-1", "service")
    scope = "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request"
    wanted = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={signed}, Signature={signature}"
    assert authorization(signer, method, EXAMPLE, path, headers, body) == wanted


@pytest.mark.parametrize(
    ("region", "path", "body", "token", "signature"),
    [
        (
            *("us-east-1", "/model/us.anthropic.claude-sonnet-4-6/converse", b'{"messages":[]}', ""),
            "11f270a80193a2284e1b2090b3cf04c0c51695822cd309c78dee024d651b5e75",
        ),
        (
            *("eu-central-1", "/model/openai.gpt-oss-120b-1%3A0/converse-stream", '{"a":"Grüße"}'.encode(), ""),
            "dc64dd6d39ad0d3534cda9e1cf2d204d65505cea2ca9c731a6d39baa32bcd836",
        ),
        (
            "us-west-2",
            "/model/arn%3Aaws%3Abedrock%3Aus-west-2%3A123456789012%3Aapplication-inference-profile%2Fab1cd2ef3gh4/converse",
            *(b"{}", "IQoJb3JpZ2luX2VjEXAMPLE//token=="),
            "fe76acbf993f2b1fb377c0e834289170b3d0b0b56018704374188bfa4a983eab",
        ),
    ],
)
def test_requests_to_bedrock_are_signed_as_amazons_sdk_signs_them(
    region: str, path: str, body: bytes, token: str, signature: str
) -> None:
    """Source: computed with botocore 1.43.67 for the same request, 21 November 2026."""
    key = AwsKey(EXAMPLE_KEY.access_key_id, EXAMPLE_KEY.secret, token)
    origin = Origin(f"bedrock-runtime.{region}.amazonaws.com", 443, True)
    signer = Signer(key, At(HERE_AT), region_of(origin.host))
    found = dict(signer.sign("POST", origin, path, (JSON, (b"accept", b"x")), body))
    assert found[b"authorization"].decode().endswith(f"Signature={signature}")
    assert found[b"x-amz-date"] == b"20261121T211805Z"
    assert found.get(b"x-amz-security-token", b"").decode() == token


def test_a_signer_signs_the_next_day_with_the_next_days_key() -> None:
    clock = At(HERE_AT)
    signer = Signer(EXAMPLE_KEY, clock, "us-east-1")
    for now in (HERE_AT, HERE_AT + 1000, HERE_AT + 86_400_000, HERE_AT):
        clock.now = now
        fresh = Signer(EXAMPLE_KEY, At(now), "us-east-1")
        assert authorization(signer, "POST", EXAMPLE, "/") == authorization(fresh, "POST", EXAMPLE, "/")


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("bedrock-runtime.eu-west-3.amazonaws.com", "eu-west-3"),
        ("bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("bedrock-runtime.us-east-2.api.aws", "us-east-2"),
        ("vpce-0a1b2c.bedrock-runtime.ap-south-1.vpce.amazonaws.com", "ap-south-1"),
        ("127.0.0.1", "us-east-1"),
        ("bedrock-runtime", "us-east-1"),
    ],
)
def test_the_region_stands_in_the_host(host: str, region: str) -> None:
    assert region_of(host) == region


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        ("bedrock-api-key-abc", None),
        ("AKID\nSECRET", AwsKey("AKID", "SECRET")),
        ("AKID\nSECRET\nTOKEN", AwsKey("AKID", "SECRET", "TOKEN")),
    ],
)
def test_a_secret_of_several_lines_is_a_key_to_sign_with(secret: str, key: AwsKey | None) -> None:
    assert aws_key(Credential("bedrock#1", "bedrock", secret)) == key


def test_times_are_utc() -> None:
    assert time_stamp(PUBLISHED_AT) == "20150830T123600Z"
