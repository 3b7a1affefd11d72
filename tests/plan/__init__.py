"""Tests of plans and emergencies."""
