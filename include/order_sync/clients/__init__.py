"""The two outside systems over HTTP: their JSON in, our types out, and nothing remembered in between."""
