"""Nextech's Select API as the contract describes it: an engine without HTTP, and a thin FastAPI skin over it."""
