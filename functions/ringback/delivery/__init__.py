"""Leads -> customers -> campaigns -> outcomes: what is asked of Thulium, in which order, and what its replies mean."""
