"""Folders of a recorder: which call a file is of, by its name or by the metadata of an rtpengine."""
