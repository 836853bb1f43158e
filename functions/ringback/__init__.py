"""Leads from webhooks into a Thulium calling campaign."""
