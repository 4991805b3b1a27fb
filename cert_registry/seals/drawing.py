"""What a seal looks like on paper and on pages: its approved picture, or drawn from its names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cert_registry.catalog.seal_image import (
    SealDesign,
    SealImage,
    SealShape,
    draw_picture,
    draw_seal,
    svg_of_png,
)

if TYPE_CHECKING:
    from cert_registry.seals.types import SealPicture


def image_of(
    name: str,
    department_name: str,
    *,
    picture: SealPicture | None,
    width_mm: float = 42.0,
    height_mm: float = 42.0,
    mark: str | None,
) -> SealImage:
    """The image of a seal; the same for the preview, the custodian's page and the sealed file.

    Args:
        name: The words of the seal, for example 示例市市场监督管理局证照专用章.
        department_name: Its owner; stands on the arc, the rest of the name below the star.
        picture: Checked; None: drawn from the names.
        width_mm: Of a drawn seal.
        height_mm: Of a drawn seal.
        mark: 样例 in a demo, else None.

    Raises:
        CatalogError: It cannot be drawn.
    """
    if picture is not None:
        size = {"width_mm": picture.width_mm, "height_mm": picture.height_mm}
        is_png = picture.media_type == "image/png"
        svg = svg_of_png(picture.content, **size) if is_png else picture.content.decode()
        return draw_picture(svg, **size, alternative_text=f"电子印章：{name}", mark=mark)
    line = name.removeprefix(department_name)
    return draw_seal(
        SealDesign(
            name=department_name,
            line=line if line != name else "",
            star=True,
            shape=SealShape.ROUND if width_mm == height_mm else SealShape.OVAL,
            width_mm=width_mm,
            height_mm=height_mm,
            mark=mark,
        )
    )
