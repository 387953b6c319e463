"""How the ledger's schema came to be, one revision a file; `order_sync.ledger.migrate` applies them."""
