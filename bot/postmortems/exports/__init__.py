"""Postmortems as files: Markdown, HTML, PDF, DOCX, JSON, the timeline as CSV, and for customers."""

from bot.postmortems.exports.flow import FORMS, Exports, File, file_name, require_form

__all__ = ["FORMS", "Exports", "File", "file_name", "require_form"]
