"""A store shaped like Adobe Commerce: an engine without HTTP, and a thin FastAPI skin on it (store contract section 9)."""
