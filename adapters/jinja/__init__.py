"""Templates in a folder, in the language of Jinja."""

from jobmill.adapters.jinja.folder import JinjaTemplates, open_templates

__all__ = ["JinjaTemplates", "open_templates"]
