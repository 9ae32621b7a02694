"""Kills what runs on a server at every effect, and looks whether anything is lost or left open. See docs/harness.md."""
