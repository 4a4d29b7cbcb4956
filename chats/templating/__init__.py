"""The pages' templates: Jinja2, and what templates can call. See decision 0029."""
