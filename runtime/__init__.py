"""The plumbing: settings, logging, PostgreSQL, Temporal and the embedded stack. Knows nothing of complaints."""
