"""Images, audio and documents between Gemini's `inlineData` and `fileData` and Kyma's parts."""

from mimetypes import guess_type

from kyma.core.chat import AudioPart, FilePart, ImagePart
from kyma.dialects.data_urls import inline
from kyma.dialects.gemini.conversation import WireBlob, WireFileData

MediaPart = ImagePart | AudioPart | FilePart

AUDIO_FORMATS = {"audio/mpeg": "mp3", "audio/x-wav": "wav", "audio/wave": "wav", "audio/vnd.wave": "wav"}
"""Where the container's usual name is not the second half of the MIME type."""

OWN_STORES = (
    "https://generativelanguage.googleapis.com/",
    "https://www.youtube.com/",
    "https://youtu.be/",
    "gs://",
    "files/",
)
"""Where files lie that only Google can read."""

Wire = dict[str, object]


def from_blob(blob: WireBlob) -> MediaPart | None:
    """Inline media in Kyma's words; None for video, which has no other words."""
    kind = blob.mime_type.lower().partition(";")[0]
    data = _standard_base64(blob.data)
    if kind.startswith("audio/"):
        return AudioPart(data, AUDIO_FORMATS.get(kind, kind.removeprefix("audio/")))
    if kind.startswith("video/"):
        return None
    url = f"data:{blob.mime_type};base64,{data}"
    return ImagePart(url) if kind.startswith("image/") else FilePart(url, None, blob.display_name)


def from_file(file: WireFileData) -> MediaPart | None:
    """A file by its address in Kyma's words; None for what other vendors cannot fetch or see."""
    kind = file.mime_type.lower() or guess_type(file.file_uri.partition("?")[0])[0] or ""
    if file.file_uri.startswith(OWN_STORES) or kind.startswith(("audio/", "video/")):
        return None
    return ImagePart(file.file_uri) if kind.startswith("image/") else FilePart(None, None, None, url=file.file_uri)


def to_wire(part: MediaPart) -> Wire | None:
    """A part of this dialect; None for a file that stands in another vendor's store."""
    match part:
        case AudioPart(data, container):
            return {"inlineData": {"mimeType": f"audio/{container}", "data": data}}
        case ImagePart(url=str(url)) | FilePart(data=str(url)) | FilePart(url=str(url)):
            media = inline(url)
            return _from_address(url) if media is None else _inline_data(*media)
    return None


def _inline_data(kind: str, data: str) -> Wire:
    return {"inlineData": {"mimeType": kind or "application/octet-stream", "data": data}}


def _from_address(url: str) -> Wire:
    kind = guess_type(url.partition("?")[0])[0]
    return {"fileData": {"mimeType": kind, "fileUri": url} if kind else {"fileUri": url}}


def _standard_base64(data: str) -> str:
    """Google's Python SDK writes the URL alphabet; others read only the standard one."""
    return data.replace("-", "+").replace("_", "/") if "-" in data or "_" in data else data
