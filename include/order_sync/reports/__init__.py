"""What people read of a reconciliation: letters, the files attached to them, and the pages. No database, no HTTP, no clock."""
