"""The caller's page, its socket or requests, the code typed in, the photo sent."""
