"""The invented practices, people and orders that the sandbox starts with, and the orders that keep arriving."""
