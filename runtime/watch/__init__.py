"""Seeing how the service is: readings of the record and of Temporal, metrics, and the endpoint that tells of them."""
