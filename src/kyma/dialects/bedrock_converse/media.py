"""Images, audio and documents as Converse's blocks: only bytes, since what it fetches lies in Amazon's own store."""

import re
from collections.abc import Container
from mimetypes import guess_type
from typing import Any

from kyma.core.chat import AudioPart, FilePart, ImagePart
from kyma.dialects.data_urls import inline

Block = dict[str, Any]
Media = ImagePart | AudioPart | FilePart

IMAGE_FORMATS = {
    "image/png": "png",
    "image/jpeg": "jpeg",
    "image/jpg": "jpeg",
    "image/gif": "gif",
    "image/webp": "webp",
}
AUDIO_FORMATS = (
    *("mp3", "opus", "wav", "aac", "flac", "mp4", "ogg", "mkv"),
    *("mka", "x-aac", "m4a", "mpeg", "mpga", "pcm", "webm"),
)
DOCUMENT_FORMATS = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/markdown": "md",
}
"""Any other text is sent as `txt`. Source: botocore's service model of bedrock-runtime, August 2026."""

MAX_NAME_CHARS = 180
DOCUMENT = "document"

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9\-()\[\]]+")


def concept(part: Media) -> str:
    """What reports call it."""
    return "image" if isinstance(part, ImagePart) else "audio" if isinstance(part, AudioPart) else "file"


def to_block(part: Media, names: set[str]) -> Block | None:
    """A block; None for what Converse does not take: another format, an address, a file in another vendor's keeping.

    `names` are those of the documents before it: none may come twice.
    """
    match part:
        case ImagePart(url=url):
            media = inline(url)
            kind = IMAGE_FORMATS.get(media[0].lower() or "image/png") if media else None
            return {"image": {"format": kind, "source": {"bytes": media[1]}}} if media and kind else None
        case AudioPart(data, container):
            if container not in AUDIO_FORMATS:
                return None
            return {"audio": {"format": container, "source": {"bytes": data}}}
        case FilePart(data=str(data)):
            return _document(data, part.filename or "", names)
    return None


def _document(data: str, filename: str, names: set[str]) -> Block | None:
    media_type, base64 = inline(data) or ("", data)  # some clients send the base64 alone
    kind = media_type.lower() or guess_type(filename)[0] or "application/pdf"
    form = DOCUMENT_FORMATS.get(kind) or ("txt" if kind.startswith("text/") or kind == "application/json" else None)
    if form is None:
        return None
    name = _free_name(filename.rpartition(".")[0] or filename, names)
    names.add(name)
    return {"document": {"format": form, "name": name, "source": {"bytes": base64}}}


def _free_name(wanted: str, taken: Container[str]) -> str:
    """Letters, digits, single spaces, hyphens and brackets, as no other document is called."""
    name = _NOT_IN_NAMES.sub(" ", wanted).strip()[:MAX_NAME_CHARS].strip() or DOCUMENT
    if name not in taken:
        return name
    number = 2
    while f"{name} {number}" in taken:
        number += 1
    return f"{name} {number}"
