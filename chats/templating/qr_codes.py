"""QR codes of links, drawn by the server as SVG: pages load nothing from elsewhere."""

from typing import Final

import segno
from markupsafe import Markup

# In modules: a reader needs so much white around the code, in dark pages too.
_BORDER: Final = 4


def qr_code(link: str) -> Markup:
    """A link as the SVG of a QR code, of which a seventh may be unreadable."""
    drawn = segno.make_qr(link, error="m").svg_inline(
        border=_BORDER,
        dark="#000",
        light="#fff",
        omitsize=True,
        svgclass="qr-code",
        lineclass=None,
        title="QR code of the link",
    )
    return Markup(drawn)  # noqa: S704  # the link is drawn, not written
