"""Which columns each resource has: what may be searched, what is always present, what has a `base_` twin."""

from __future__ import annotations

_ORDER = """
    adjustment_negative adjustment_positive applied_rule_ids base_currency_code base_to_global_rate base_to_order_rate
    billing_address_id coupon_code created_at customer_dob customer_email customer_firstname customer_gender
    customer_group_id customer_id customer_is_guest customer_lastname customer_middlename customer_note
    customer_note_notify customer_prefix customer_suffix customer_taxvat discount_amount discount_canceled
    discount_description discount_invoiced discount_refunded discount_tax_compensation_amount edit_increment email_sent
    entity_id ext_customer_id ext_order_id global_currency_code grand_total hold_before_state hold_before_status
    increment_id is_virtual order_currency_code original_increment_id protect_code quote_id relation_child_id
    relation_child_real_id relation_parent_id relation_parent_real_id remote_ip shipping_amount shipping_canceled
    shipping_description shipping_discount_amount shipping_incl_tax shipping_invoiced shipping_refunded
    shipping_tax_amount shipping_tax_refunded state status store_currency_code store_id store_name store_to_base_rate
    store_to_order_rate subtotal subtotal_canceled subtotal_incl_tax subtotal_invoiced subtotal_refunded tax_amount
    tax_canceled tax_invoiced tax_refunded total_canceled total_due total_invoiced total_item_count
    total_offline_refunded total_online_refunded total_paid total_qty_ordered total_refunded updated_at weight
    x_forwarded_for
"""
_ITEM = """
    amount_refunded created_at description discount_amount discount_invoiced discount_percent discount_refunded
    free_shipping is_qty_decimal is_virtual item_id name no_discount order_id original_price parent_item_id price
    price_incl_tax product_id product_type qty_canceled qty_invoiced qty_ordered qty_refunded qty_shipped quote_item_id
    row_invoiced row_total row_total_incl_tax sku store_id tax_amount tax_canceled tax_invoiced tax_percent tax_refunded
    updated_at weight
"""
_MEMO = """
    adjustment adjustment_negative adjustment_positive base_currency_code billing_address_id created_at
    creditmemo_status discount_amount email_sent entity_id grand_total increment_id invoice_id order_currency_code
    order_id shipping_address_id shipping_amount shipping_tax_amount state store_id subtotal subtotal_incl_tax
    tax_amount transaction_id updated_at
"""
_INVOICE = """
    base_currency_code billing_address_id created_at discount_amount email_sent entity_id grand_total increment_id
    is_used_for_refund order_currency_code order_id shipping_amount shipping_tax_amount state store_id subtotal
    subtotal_incl_tax tax_amount total_qty transaction_id updated_at
"""
_TRANSACTION = "transaction_id parent_id order_id payment_id txn_id parent_txn_id txn_type is_closed created_at"
ORDER_COLUMNS = frozenset(_ORDER.split())
ITEM_COLUMNS = frozenset(_ITEM.split())
MEMO_COLUMNS = frozenset(_MEMO.split())
INVOICE_COLUMNS = frozenset(_INVOICE.split())
TRANSACTION_COLUMNS = frozenset(_TRANSACTION.split())

REQUIRED: dict[str, tuple[str, ...]] = {
    "order": ("base_grand_total", "customer_email", "grand_total", "items"),
    "item": ("sku",),
    "payment": ("account_status", "additional_information", "cc_last4", "method"),
    "address": ("address_type", "city", "country_id", "firstname", "lastname", "postcode", "telephone"),
    "history": ("comment", "is_customer_notified", "is_visible_on_front", "parent_id"),
    "memo": ("order_id", "items"),
    "memo_item": ("base_cost", "base_price", "entity_id", "order_item_id", "qty"),
    "invoice": ("order_id", "total_qty", "items"),
    "invoice_item": ("sku", "order_item_id", "qty"),
    "transaction": (
        "transaction_id",
        "order_id",
        "payment_id",
        "txn_id",
        "parent_txn_id",
        "txn_type",
        "is_closed",
        "created_at",
        "child_transactions",
    ),
}
"""The keys that are present even when they are null (contract section 3, rule 1)."""

_ORDER_TWINS = """
    adjustment_negative adjustment_positive discount_amount discount_canceled discount_invoiced discount_refunded
    discount_tax_compensation_amount grand_total shipping_amount shipping_canceled shipping_discount_amount
    shipping_incl_tax shipping_invoiced shipping_refunded shipping_tax_amount shipping_tax_refunded subtotal
    subtotal_canceled subtotal_incl_tax subtotal_invoiced subtotal_refunded tax_amount tax_canceled tax_invoiced
    tax_refunded total_canceled total_due total_invoiced total_offline_refunded total_online_refunded total_paid
    total_qty_ordered total_refunded
"""
_ITEM_TWINS = """
    amount_refunded discount_amount discount_invoiced discount_refunded original_price price price_incl_tax
    row_invoiced row_total row_total_incl_tax tax_amount tax_invoiced tax_refunded
"""
_PAYMENT_TWINS = """
    amount_authorized amount_canceled amount_ordered amount_paid amount_refunded shipping_amount shipping_captured
    shipping_refunded
"""
_DOCUMENT_TWINS = """
    adjustment adjustment_negative adjustment_positive discount_amount grand_total shipping_amount shipping_tax_amount
    subtotal subtotal_incl_tax tax_amount
"""
_EXTENSION_TWINS = """
    gift_cards_amount gift_cards_invoiced gift_cards_refunded customer_balance_amount customer_balance_invoiced
    customer_balance_refunded customer_balance_total_refunded reward_currency_amount
"""
_DOCUMENT_ITEM_TWINS = "discount_amount price price_incl_tax row_total row_total_incl_tax tax_amount"
TWINS: dict[str, tuple[str, ...]] = {
    "order": tuple(_ORDER_TWINS.split()),
    "item": tuple(_ITEM_TWINS.split()),
    "payment": tuple(_PAYMENT_TWINS.split()),
    "memo": tuple(_DOCUMENT_TWINS.split()),
    "invoice": tuple(_DOCUMENT_TWINS.split()),
    "memo_item": tuple(_DOCUMENT_ITEM_TWINS.split()),
    "invoice_item": tuple(_DOCUMENT_ITEM_TWINS.split()),
    "extension": tuple(_EXTENSION_TWINS.split()),
}
"""The money columns that are answered a second time with the prefix `base_`: these stores have one currency."""
