"""The command that looks whether an installation is sound."""
