"""What the invented stores sell."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Product:
    """One article. `parts` are the SKUs of a bundle, or the chosen variant of a configurable."""

    product_id: int
    sku: str
    name: str
    price: Decimal
    product_type: str = "simple"
    is_taxed: bool = True
    parts: tuple[str, ...] = ()

    @property
    def is_virtual(self) -> bool:
        """Say whether nothing is shipped."""
        return self.product_type in {"virtual", "giftcard", "downloadable"}


def _product(number: int, sku: str, name: str, price: str, product_type: str = "simple", *parts: str) -> Product:
    is_taxed = product_type not in {"virtual", "giftcard"}
    return Product(number, sku, name, Decimal(price), product_type, is_taxed, parts)


_ALL = (
    _product(501, "DRM-SPF50-50ML", "Mineral Sunscreen SPF 50", "38.00"),
    _product(502, "DRM-CLEANSE-200", "Gentle Cleanser 200 ml", "24.50"),
    _product(503, "DRM-VITC-30", "Vitamin C Serum 30 ml", "92.00"),
    _product(504, "DRM-HYDRA-75", "Barrier Repair Cream 75 ml", "46.00"),
    _product(505, "DRM-EYE-15", "Peptide Eye Cream 15 ml", "67.99"),
    _product(506, "DRM-RET-30G", "Retinal Cream-30 g", "54.00"),
    _product(507, "DRM-RET", "Retinal Cream", "54.00", "configurable", "DRM-RET-30G"),
    _product(508, "DRM-KIT", "Calm Skin Set", "70.50", "bundle", "DRM-CLEANSE-200", "DRM-HYDRA-75"),
    _product(509, "DRM-CONSULT-15", "15 minute consultation", "25.00", "virtual"),
    _product(510, "DRM-CONSULT-30", "30 minute consultation", "60.00", "virtual"),
    _product(511, "DRM-SVC-PEEL", "Light chemical peel", "150.00", "virtual"),
    _product(512, "DRM-SVC-LASER", "Laser session", "480.00", "virtual"),
    _product(513, "DRM-MEM-GLOW", "Glow Membership, one month", "99.00", "virtual"),
    _product(514, "DRM-GIFT-100", "Gift Card $100", "100.00", "giftcard"),
    _product(515, "DRM-SAMPLE", "Sunscreen sample", "0.00"),
)
PRODUCTS: dict[str, Product] = {product.sku: product for product in _ALL}
"""Every article by its SKU."""

EVERYDAY_BASKETS: tuple[tuple[tuple[str, int], ...], ...] = (
    (("DRM-SPF50-50ML", 1),),
    (("DRM-SPF50-50ML", 2), ("DRM-CLEANSE-200", 1)),
    (("DRM-VITC-30", 1),),
    (("DRM-HYDRA-75", 1), ("DRM-EYE-15", 1)),
    (("DRM-CONSULT-15", 1),),
    (("DRM-VITC-30", 1), ("DRM-SPF50-50ML", 1), ("DRM-CONSULT-30", 1)),
    (("DRM-RET", 1),),
    (("DRM-KIT", 1), ("DRM-EYE-15", 1)),
    (("DRM-SVC-PEEL", 1),),
)
"""What people usually buy: SKU and quantity."""
