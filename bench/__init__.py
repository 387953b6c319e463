"""What is measured, and against what (docs/performance.md holds the figures)."""
