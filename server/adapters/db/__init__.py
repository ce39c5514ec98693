"""Storage with SQLAlchemy Core; no row object leaves this package."""
