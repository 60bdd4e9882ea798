"""Tests of what comes in by mail, webhooks and the like."""
