"""Get every online payment onto the right patient's billing tab, exactly once."""
