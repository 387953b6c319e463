"""The scorecard of the matching: how often it is right by itself, asks, or misses, on people whose truth is known."""
