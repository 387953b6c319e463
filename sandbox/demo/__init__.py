"""The invented practices, people and orders that the sandbox starts with, and the orders that keep arriving.

`story.build_demo` makes everything, `story.open_shops` opens the stores with it, `arrivals.next_arrival` and
`arrivals.place_order` add to it, `load.build_load` makes volume, and `practices` holds what all sides must agree on.
"""
