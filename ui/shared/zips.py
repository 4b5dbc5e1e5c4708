"""Files to take along, as one zip. No streamlit here."""

import io
import zipfile
from collections.abc import Mapping


def packed(files: Mapping[str, str | bytes]) -> bytes:
    """These files, by their names, as a zip."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in files.items():
            archive.writestr(name, part)
    return content.getvalue()
