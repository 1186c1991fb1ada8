"""The teacher's prompts: one Jinja file a call."""
