"""The store, Nextech and the mail server, played on loopback after their contracts: for demos, tests and load."""
